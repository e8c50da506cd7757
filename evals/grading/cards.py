"""CUDA cards: which device nodes a jail needs for one, what the driver is; no torch, so that any process may ask."""

from __future__ import annotations

from pathlib import Path

DEVICES = Path("/dev")
DRIVER = Path("/proc/driver/nvidia/version")
CONTROL_NODES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")


def nodes(devices: Path = DEVICES) -> list[str]:
    """The device nodes of all cards and those that control them; none where there is no card."""
    cards = sorted(path for path in devices.glob("nvidia[0-9]*") if path.name[6:].isdigit())
    if not cards:
        return []
    return [str(path) for path in (*(devices / name for name in CONTROL_NODES), *cards) if path.exists()]


def binds(devices: Path = DEVICES) -> list[str]:
    """What bubblewrap is told. It widens a jail by the driver's own surface; asked for with CUDA only."""
    return [word for node in nodes(devices) for word in ("--dev-bind", node, node)]


def check(choice: str, devices: Path = DEVICES) -> None:
    """Refuse a wish for CUDA on a machine that shows no card, before anything is started."""
    if choice == "cuda" and not nodes(devices):
        raise ValueError("This machine shows no CUDA card: leave the device out or choose cpu.")


def driver(version: Path = DRIVER) -> str:
    """The driver's version as the kernel tells it, for a result's record."""
    try:
        lines = version.read_text("ascii", "replace").splitlines()
    except OSError:
        return "unknown"
    return lines[0].removeprefix("NVRM version: ").strip()[:120] if lines else "unknown"
