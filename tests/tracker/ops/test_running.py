"""`up` before its children run: whoever stops it early reads one sentence."""

import os
import signal

import pytest
from django.core.management import CommandError

from tracker.ops import running
from tracker.ops.terminal import Terminal


@pytest.mark.parametrize("number", running.SIGNALS)
def test_a_signal_while_it_prepares_ends_in_one_sentence(settings, tmp_path, monkeypatch, number):
    settings.VAR_DIR = tmp_path
    before = signal.getsignal(number)
    monkeypatch.setattr(running, "prepare", lambda *_, **__: os.kill(os.getpid(), number))

    with pytest.raises(CommandError, match="the next start prepares what is missing"):
        running.run_everything(Terminal(), is_demo=True, port=18200)

    assert signal.getsignal(number) == before
