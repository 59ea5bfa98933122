"""Transforms of 3-D points as 4x4 matrices that act on row vectors."""

import torch
from torch import Tensor


class Transform3d:
    r"""A batch of affine or projective transforms of 3-D points.

    Points are rows: :math:`[x', 1] \sim [x, 1]\, M`, so the last *row* of
    :math:`M` translates and the transform that acts first stands left.

    N: batch, P: points.

    Args:
        dtype: of the identity, when no matrix is given.
        device: of the matrix; the given matrix's own by default.
        matrix: (4, 4) or (N, 4, 4); one identity by default.

    Raises:
        ValueError: the matrix has another shape.

    Example:
        >>> move = Translate(torch.tensor([[0., 0., 2.]]))
        >>> double = Transform3d(matrix=torch.diag(torch.tensor(
        ...     [2., 2., 2., 1.])))
        >>> move.compose(double).transform_points(torch.ones(1, 3))
        tensor([[2., 2., 6.]])
    """

    def __init__(
        self,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
        matrix: Tensor | None = None,
    ) -> None:
        if matrix is None:
            matrix = torch.eye(4, dtype=dtype)
        if matrix.ndim not in (2, 3) or matrix.shape[-2:] != (4, 4):
            raise ValueError(
                'a transform takes a matrix of shape (4, 4) or '
                f'(N, 4, 4), not {tuple(matrix.shape)}'
            )
        self._matrix = matrix.reshape(-1, 4, 4).to(device=device)

    def __len__(self) -> int:
        """Size of the batch, N."""
        return len(self._matrix)

    @property
    def device(self) -> torch.device:
        """Where the matrix is."""
        return self._matrix.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the matrix."""
        return self._matrix.dtype

    def get_matrix(self) -> Tensor:
        """Return the matrices (N, 4, 4)."""
        return self._matrix

    def compose(self, *others: 'Transform3d') -> 'Transform3d':
        """Return the transform that does this one, then the others in order.

        Args:
            others: of the same batch size, or of batch size one.
        """
        matrix = self._matrix
        for other in others:
            matrix = matrix @ other.get_matrix()
        return Transform3d(matrix=matrix)

    def inverse(self) -> 'Transform3d':
        """Return the transform that undoes this one."""
        return Transform3d(matrix=torch.linalg.inv(self._matrix))

    def transform_points(
        self, points: Tensor, eps: float | None = None
    ) -> Tensor:
        """Transform points and divide by their homogeneous coordinate.

        Args:
            points: (P, 3), the same for the whole batch, or (N, P, 3).
            eps: least magnitude of the divisor; none by default, so points
                in the plane of the camera become infinite.

        Returns:
            Points (N, P, 3); (P, 3) for points (P, 3) and a batch of one.

        Raises:
            ValueError: the points have another shape.
        """
        _check(points)
        homogeneous = (
            torch.cat([points, torch.ones_like(points[..., :1])], dim=-1)
            @ self._matrix
        )
        divisor = homogeneous[..., 3:]
        if eps is not None:
            sign = torch.where(divisor < 0, -1.0, 1.0).to(divisor)
            divisor = sign * divisor.abs().clamp(min=eps)
        return self._like(points, homogeneous[..., :3] / divisor)

    def _like(self, points: Tensor, result: Tensor) -> Tensor:
        return result[0] if points.ndim == 2 and len(self) == 1 else result


class Rotate(Transform3d):
    """Rotate points about the origin: :math:`x' = x R`.

    Args:
        R: (3, 3) or (N, 3, 3), to multiply rows from the right.
        device: of the result; that of ``R`` by default.

    Raises:
        ValueError: ``R`` has another shape.

    Example:
        >>> quarter = torch.tensor([[0., 1., 0.], [-1., 0., 0.], [0., 0., 1.]])
        >>> Rotate(quarter).transform_points(torch.tensor([[1., 0., 0.]]))
        tensor([[0., 1., 0.]])
    """

    def __init__(
        self, R: Tensor, device: torch.device | str | None = None
    ) -> None:
        if R.ndim not in (2, 3) or R.shape[-2:] != (3, 3):
            raise ValueError(
                'a rotation takes a matrix of shape (3, 3) or '
                f'(N, 3, 3), not {tuple(R.shape)}'
            )
        R = R.reshape(-1, 3, 3)
        matrix = torch.eye(4).to(R).repeat(len(R), 1, 1)
        matrix[:, :3, :3] = R
        super().__init__(matrix=matrix, device=device)


class Translate(Transform3d):
    """Move points: :math:`x' = x + t`.

    Args:
        x: the translation, (N, 3).
        device: of the result; that of ``x`` by default.

    Raises:
        ValueError: ``x`` has another shape.

    Example:
        >>> Translate(torch.ones(1, 3)).transform_points(torch.zeros(1, 3))
        tensor([[1., 1., 1.]])
    """

    def __init__(
        self, x: Tensor, device: torch.device | str | None = None
    ) -> None:
        if x.ndim != 2 or x.shape[-1] != 3:
            raise ValueError(
                'a translation takes vectors of shape (N, 3), '
                f'not {tuple(x.shape)}'
            )
        matrix = torch.eye(4).to(x).repeat(len(x), 1, 1)
        matrix[:, 3, :3] = x
        super().__init__(matrix=matrix, device=device)


def _check(points: Tensor) -> None:
    if points.ndim not in (2, 3) or points.shape[-1] != 3:
        raise ValueError(
            'points have the shape (P, 3) or (N, P, 3), not '
            f'{tuple(points.shape)}'
        )
