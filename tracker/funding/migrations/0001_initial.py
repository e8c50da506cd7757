import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Fund",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "group",
                    models.OneToOneField(
                        help_text="Its managers; people share with this group.",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="auth.group",
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
    ]
