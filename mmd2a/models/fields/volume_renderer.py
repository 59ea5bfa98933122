"""Pictures of a field: rays, samples along them, and their sum."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmd2a.geometry import as_yaw, normalize_keypoints2d, view_rotation
from mmd2a.models.fields.feature_field import Field
from mmd2a.registry import MODELS


class View(NamedTuple):
    """From where a field is seen.

    B: batch. Lengths in half-widths of the crop, OpenCV camera axes.

    Attributes:
        yaw: angle φ (B,), radians: the camera goes to the left of the image
            about the vertical through the pivot, and keeps looking at it.
        pivot: (B, 3), such as the person's root; None: the crop's middle.
        eye: place of the camera (B, 3) at φ = 0, which sees z = 0 as the crop
            shows it; None: infinitely far, a weak-perspective camera.
    """

    yaw: Tensor
    pivot: Tensor | None = None
    eye: Tensor | None = None

    def through(self, K: Tensor, size: tuple[int, int]) -> 'View':
        """Return the view of a full-perspective camera.

        Args:
            K: intrinsics of the crop (B, 3, 3), pixels, square pixels.
            size: (height, width) of the crop, pixels; square.

        Example:
            >>> K = torch.tensor([[[99., 0, 9.5], [0, 99, 9.5], [0, 0, 1]]])
            >>> View(torch.zeros(1)).through(K, (20, 20)).eye
            tensor([[ 0.0000,  0.0000, -9.9000]])
        """
        height, width = size
        middle = normalize_keypoints2d(K[:, None, :2, 2], (width, height))
        focal = 2 * K[:, 0, 0, None] / width
        return self._replace(eye=torch.cat([middle[:, 0], -focal], -1))


class Rendering(NamedTuple):
    """What a renderer gives.

    B: batch, C: features, (h, w): map.

    Attributes:
        features: (B, C, h, w), each sample's times its weight, summed.
        opacity: (B, 1, h, w), the share of light that is stopped, 0 to 1.
        depth: (B, 1, h, w), mean z of where it is stopped, half-widths of the
            crop from the root's plane; 0 where nothing is.
    """

    features: Tensor
    opacity: Tensor
    depth: Tensor


@MODELS.register_module()
class VolumeRenderer(nn.Module):
    r"""Render maps of a field for any direction of view.

    .. math:: w_i = \Bigl(1 - e^{-\sigma_i \delta_i}\Bigr)
              \prod_{j<i} e^{-\sigma_j \delta_j}, \qquad
              F = \sum_i w_i f_i

    A ray is cut into bins of equal length δ, each known by one sample: a
    random one while training, its middle otherwise. A constant density is so
    rendered exactly, whatever the number of samples.

    The rays of a view of angle 0 pass through the middles of the cells of the
    image's own feature maps: cell (i, j) of the (h, w) map is what the crop
    shows at :math:`(2j + 1) / w - 1,\ (2i + 1) / h - 1`.

    Args:
        size: side of the square map, or (h, w).
        num_samples: bins per ray.
        near, far: depths z between which the field is seen, in half-widths
            of the crop from the plane of the person's root.
        chunk: points the field is asked at once, at most. More are asked one
            chunk after the other, and again in the backward pass, so that
            memory is bounded.

    Raises:
        ValueError: no samples, or a volume without depth.

    Volume rendering as in NeRF (Mildenhall et al., ECCV 2020), equation 3,
    of features as in GIRAFFE; ImpHMR (Cho et al., CVPR 2023) states neither
    the number of rays nor of samples.

    Example:
        >>> def fog(points, directions):
        ...     return torch.ones_like(points[..., 0]), points
        >>> renderer = VolumeRenderer(size=4, num_samples=8)
        >>> seen = renderer(fog, View(torch.zeros(1)))
        >>> seen.features.shape, round(float(seen.opacity[0, 0, 0, 0]), 4)
        (torch.Size([1, 3, 4, 4]), 0.8647)
    """

    def __init__(
        self,
        size: int | tuple[int, int] = 16,
        num_samples: int = 64,
        near: float = -1.0,
        far: float = 1.0,
        chunk: int = 2**20,
    ) -> None:
        super().__init__()
        if num_samples < 1 or chunk < 1:
            raise ValueError(
                f'num_samples={num_samples} and chunk={chunk} must be at '
                'least 1'
            )
        if not near < far:
            raise ValueError(f'near={near} must be nearer than far={far}')
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.num_samples = num_samples
        self.near, self.far = near, far
        self.chunk = chunk

    def forward(self, field: Field, view: View) -> Rendering:
        """Render: see :meth:`render`."""
        return self.render(field, view)

    def render(self, field: Field, view: View) -> Rendering:
        """Render a field.

        Args:
            field: function of points (B, R, S, 3) and unit directions
                (B, R, 1, 3) of the canonical frame, S samples on each of R
                rays, that gives density (B, R, S) >= 0 and features
                (B, R, S, C).
            view: of B samples.

        Raises:
            ValueError: a view of no sample, of an angle that is not finite,
                or of an eye within the volume.
        """
        self._check(view)
        start, step = self.rays(view)
        batch, rays, _ = start.shape
        depth = self._depths(start)
        at_once = max(1, self.chunk // (batch * self.num_samples))
        parts = []
        for begin in range(0, rays, at_once):
            mine = slice(begin, begin + at_once)
            asked = (field, start[:, mine], step[:, mine], depth[:, mine])
            if at_once < rays and torch.is_grad_enabled():
                # The field draws no random numbers.
                parts.append(
                    checkpoint(
                        self._sum,
                        *asked,
                        use_reentrant=False,
                        preserve_rng_state=False,
                    )
                )
            else:
                parts.append(self._sum(*asked))
        return Rendering(
            *(
                torch.cat(part, 1).transpose(1, 2).unflatten(2, self.size)
                for part in zip(*parts)
            )
        )

    def rays(self, view: View) -> tuple[Tensor, Tensor]:
        """Return the rays of a view in the canonical frame.

        R = h w: rays, in row order.

        Returns:
            Where the rays cross the plane of the root, (B, R, 3), and the way
            (B, R, 3) they go while z of the view grows by 1.
        """
        yaw = view.yaw
        y, x = (
            (2 * torch.arange(n, dtype=yaw.dtype, device=yaw.device) + 1) / n
            - 1
            for n in self.size
        )
        rows, columns = torch.meshgrid(y, x, indexing='ij')
        grid = torch.stack([columns, rows, torch.zeros_like(rows)], -1)
        start = grid.reshape(1, -1, 3)
        if view.eye is None:
            step = torch.zeros_like(start)
            step[..., 2] = 1
        else:
            eye = view.eye[:, None]
            step = (start - eye) / -eye[..., 2:]
        pivot = 0 if view.pivot is None else view.pivot[:, None]
        turn = view_rotation(yaw)
        start = (start - pivot) @ turn + pivot
        return start, (step @ turn).expand_as(start)

    def _depths(self, like: Tensor) -> Tensor:
        """One z in each bin of each ray (B, R, S), from near to far."""
        shape = (*like.shape[:2], self.num_samples)
        if self.training:
            within = torch.rand(shape, dtype=like.dtype, device=like.device)
        else:
            within = like.new_full((1, 1, 1), 0.5).expand(shape)
        bins = torch.arange(self.num_samples, device=like.device)
        share = (bins + within) / self.num_samples
        return self.near + (self.far - self.near) * share

    def _sum(
        self, field: Field, start: Tensor, step: Tensor, depth: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Features (B, R, C), opacity and depth (B, R, 1) of some rays."""
        length = step.norm(dim=-1, keepdim=True)
        points = start[:, :, None] + step[:, :, None] * depth[..., None]
        directions = (step / length)[:, :, None]
        density, features = field(points, directions)
        bins = (self.far - self.near) / self.num_samples
        with torch.autocast(density.device.type, enabled=False):
            # The field may have answered in half precision.
            passed = density.to(depth.dtype) * (length * bins)
            before = passed.cumsum(-1) - passed
            weight = (-before).exp() * -torch.expm1(-passed)
            opacity = weight.sum(-1, keepdim=True)
            tiny = torch.finfo(depth.dtype).eps
            where = (weight * depth).sum(-1, keepdim=True) / (opacity + tiny)
            rendered = weight[:, :, None] @ features.to(depth.dtype)
            return rendered[:, :, 0], opacity, where

    def _check(self, view: View) -> None:
        """Refuse views that give no picture, where looking costs no wait."""
        if view.yaw.ndim != 1 or not len(view.yaw):
            raise ValueError(
                'a view has one angle per sample, (B,) with B > 0, got yaw of '
                f'shape {tuple(view.yaw.shape)}'
            )
        as_yaw(view.yaw, view.yaw)
        if view.eye is None or view.eye.device.type != 'cpu':
            return
        if not (view.eye[:, 2] < self.near).all():
            raise ValueError(
                f'eye must lie before near={self.near}, got z of '
                f'{view.eye[:, 2].tolist()}'
            )

    def extra_repr(self) -> str:
        """Say how many rays and samples there are, and where."""
        return (
            f'size={self.size}, num_samples={self.num_samples}, '
            f'near={self.near}, far={self.far}, chunk={self.chunk}'
        )
