"""The dense core that elimination leaves: Cholesky by LAPACK, or by torch on a chosen device."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.linalg import lapack

from evals.noise.arrays import Floats


class DenseCore(Protocol):
    """What elimination asks of a factored dense matrix."""

    @property
    def log_determinant(self) -> float: ...
    @property
    def inverse(self) -> Floats: ...
    def solve(self, right: Floats) -> Floats: ...
    def half_solve(self, right: Floats) -> Floats: ...


def factor_core(matrix: Floats, device: str = "cpu") -> DenseCore:
    """Factor a matrix whose lower triangle is filled; other devices than the CPU go through torch."""
    if matrix.shape[0] == 0:
        return LapackCore(matrix)
    if device != "cpu":
        return TorchCore.of(matrix, device)
    lower, failed = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("The mixed-model equations are not positive definite.")
    return LapackCore(lower)


@dataclass(frozen=True)
class LapackCore:
    lower: Floats

    @property
    def log_determinant(self) -> float:
        return 2.0 * float(np.log(self.lower.diagonal()).sum())

    @cached_property
    def inverse(self) -> Floats:
        """The inverse; only its lower triangle and diagonal are filled."""
        if not self.lower.size:
            return self.lower
        inverse, _ = lapack.dpotri(self.lower, lower=1)
        return np.asarray(inverse)

    def solve(self, right: Floats) -> Floats:
        if not self.lower.size:
            return right
        solution, _ = lapack.dpotrs(self.lower, right, lower=1)
        return np.asarray(solution)

    def half_solve(self, right: Floats) -> Floats:
        """The transposed factor's inverse times ``right``: turns white noise into the normal's."""
        if not self.lower.size:
            return right
        solution, _ = lapack.dtrtrs(self.lower, right, lower=1, trans=1)
        return np.asarray(solution)


@dataclass(frozen=True)
class TorchCore:
    torch: Any
    lower: Any
    device: str

    @classmethod
    def of(cls, matrix: Floats, device: str) -> "TorchCore":
        # Loaded on first use only: the engine must start without torch.
        import torch

        where = "cpu" if device == "torch" else device
        lower, failed = torch.linalg.cholesky_ex(torch.as_tensor(np.tril(matrix), device=where))
        if int(failed):
            raise np.linalg.LinAlgError("The mixed-model equations are not positive definite.")
        return cls(torch, lower, where)

    @property
    def log_determinant(self) -> float:
        return 2.0 * float(self.torch.log(self.lower.diagonal()).sum())

    @cached_property
    def inverse(self) -> Floats:
        inverse: Floats = self.torch.cholesky_inverse(self.lower).cpu().numpy()
        return inverse

    def solve(self, right: Floats) -> Floats:
        columns = self.torch.as_tensor(right.reshape(right.shape[0], -1), device=self.device)
        solution: Floats = self.torch.cholesky_solve(columns, self.lower).cpu().numpy()
        return solution.reshape(right.shape)

    def half_solve(self, right: Floats) -> Floats:
        columns = self.torch.as_tensor(right.reshape(right.shape[0], -1), device=self.device)
        solution: Floats = self.torch.linalg.solve_triangular(self.lower.T, columns, upper=True).cpu().numpy()
        return solution.reshape(right.shape)
