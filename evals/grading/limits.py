"""How much of everything a submission may use; a benchmark may lower each, or raise it up to the platform's most."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
RESAMPLES = 2000
# What one submission may ask of the platform at most, whatever its benchmark allows.
LARGEST: dict[str, int | float] = {
    "max_bytes": 16 * GIBIBYTE,
    "max_unpacked_bytes": 16 * GIBIBYTE,
    "max_rows": 10_000_000,
    "max_columns": 10_000,
    "max_field_characters": 1_000_000,
    "max_header_bytes": 64 * MEBIBYTE,
    "max_tensors": 100_000,
    "max_parameters": 10_000_000_000,
    "max_files": 1_000,
    "qualification_seconds": 600.0,
    "safety_seconds": 3_600.0,
    "thorough_seconds": 86_400.0,
    "code_seconds": 86_400.0,
    "memory_bytes": 256 * GIBIBYTE,
}


@dataclass(frozen=True)
class Limits:
    """Caps that hold before anything is allocated."""

    max_bytes: int = 64 * MEBIBYTE
    max_unpacked_bytes: int = 64 * MEBIBYTE
    max_rows: int = 1_000_000
    max_columns: int = 1_024
    max_field_characters: int = 10_000
    max_header_bytes: int = 8 * MEBIBYTE
    max_tensors: int = 10_000
    max_parameters: int = 500_000_000
    max_files: int = 64
    qualification_seconds: float = 10.0
    safety_seconds: float = 30.0
    thorough_seconds: float = 300.0
    code_seconds: float = 600.0
    memory_bytes: int = 4 * GIBIBYTE

    def __post_init__(self) -> None:
        for name, most in LARGEST.items():
            if not 0 < getattr(self, name) <= most:
                raise ValueError(f"The limit {name} must be above zero and at most {most:,}.")

    def seconds(self, phase: str) -> float:
        """The wall-clock limit of one phase."""
        return float(getattr(self, f"{phase}_seconds"))

    def with_values(self, values: dict[str, Any]) -> Limits:
        """These limits with some replaced, e.g. by a benchmark's table."""
        known = {field.name: field.type for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"limits.{name} is unknown; known limits are {', '.join(sorted(known))}.")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"limits.{name} must be a number.")
            if known[name] == "int" and not isinstance(value, int):
                raise ValueError(f"limits.{name} must be a whole number.")
        return replace(self, **values)
