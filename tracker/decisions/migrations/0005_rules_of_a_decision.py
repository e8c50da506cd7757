from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("decisions", "0004_earlier_decisions_are_records")]

    operations = [
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("replaced_at", None)),
                fields=("enrollment", "stage"),
                name="one_standing_decision_per_person_and_stage",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin", "person"), _negated=True),
                    models.Q(
                        ("decider__isnull", False),
                        ("forecast__isnull", False),
                        ("leaning__isnull", False),
                        ("proposal__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="whoever_decides_says_first_and_forecasts",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("forecast", None), models.Q(("forecast__gte", 0), ("forecast__lte", 1)), _connector="OR"
                ),
                name="a_forecast_is_a_probability",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decider", None), ("origin", "silence")),
                    models.Q(models.Q(("origin", "silence"), _negated=True), ("decider__isnull", False)),
                    _connector="OR",
                ),
                name="only_silence_has_no_decider",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin", "appeal"), _negated=True),
                    ("appealed__isnull", False),
                    _connector="OR",
                ),
                name="a_decision_by_appeal_has_its_appeal",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "end"), _negated=True), ("origin", "person"), _connector="OR"
                ),
                name="only_a_person_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "extend"), ("weeks__gte", 1), ("weeks__isnull", False)),
                    models.Q(models.Q(("outcome", "extend"), _negated=True), ("weeks", None)),
                    _connector="OR",
                ),
                name="an_extension_has_its_weeks",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_reader", None),
                    ("decider", None),
                    models.Q(("second_reader", models.F("decider")), _negated=True),
                    _connector="OR",
                ),
                name="nobody_seconds_their_own_decision",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("second_agrees", None), ("second_read_at", None), ("second_reader", None)),
                    models.Q(
                        ("second_agrees__isnull", False),
                        ("second_read_at__isnull", False),
                        ("second_reader__isnull", False),
                        models.Q(("second_reasons", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_second_reader_gives_own_reasons",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("second_agrees", True), _negated=True),
                    models.Q(
                        ("appeal_until__gt", models.F("second_read_at")), ("appeal_until__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="a_seconded_end_can_be_appealed",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "end"), _negated=True),
                    ("took_effect_at", None),
                    models.Q(("second_agrees", True), ("second_agrees__isnull", False)),
                    _connector="OR",
                ),
                name="an_end_takes_effect_with_a_second_reader",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "end"), _negated=True),
                    ("took_effect_at", None),
                    models.Q(
                        ("appeal_until__isnull", False), ("took_effect_at__gte", models.F("appeal_until"))
                    ),
                    ("appeal_upheld_at__isnull", False),
                    _connector="OR",
                ),
                name="an_end_takes_effect_after_its_appeal",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("replaced_at", None), ("undone", "")),
                    models.Q(("replaced_at__isnull", False), models.Q(("undone", ""), _negated=True)),
                    _connector="OR",
                ),
                name="a_decision_is_replaced_for_a_reason",
            ),
        ),
    ]
