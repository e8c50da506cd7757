"""Run a module as a child that ends when its parent does, however the parent ended.

python -m tracker.ops.supervision.lifeline PARENT_PID MODULE [ARGUMENT ...]
"""

import ctypes
import os
import runpy
import signal
import sys
import threading
import time

SET_PARENT_DEATH_SIGNAL = 1
WATCH_SECONDS = 0.5


def end_with_parent(parent: int) -> None:
    """Have this process killed once its parent is gone, also when the parent was killed itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=watch, args=(parent,), name="lifeline", daemon=True).start()
    # It may have gone before it was watched.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def watch(parent: int) -> None:
    """Where the kernel does not tell: ask now and then."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str]) -> None:
    parent, module, *rest = arguments
    end_with_parent(int(parent))
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
