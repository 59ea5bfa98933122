"""A neural field of density and features, conditioned on an image."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap

CONDITIONINGS = ('global', 'film', 'pixel')
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = dict(
    softplus=F.softplus, relu=F.relu
)
# What a renderer asks: points and directions -> density and features.
Field = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
# What is known of density beside the image: points -> what to add.
Seed = Callable[[Tensor], Tensor]


@MODELS.register_module()
class FeatureField(nn.Module):
    r"""Tell density and features at points of space, of an image's person.

    .. math:: (\sigma, f) = \mathrm{MLP}(\gamma(p), \gamma(d), c), \qquad
              \gamma(x) = (x, \sin 2^k \pi x, \cos 2^k \pi x)_{k < L}

    Density depends on the point p alone, features on the direction d of view
    too. How the image c enters is one option: its pooled tokens are added
    to the layers where the point enters ('global', as in GIRAFFE), or scale
    and shift every layer ('film'), or the tokens under the point's canonical
    projection are added ('pixel').

    Space is that of the crop: x right and y down are crop coordinates, z
    forward in the same unit (half the crop's width), 0 at the person's root.

    The layer of the view is the last: what reads the features begins with a
    linear one of its own, which asks less after the rays are summed.

    B: batch, ...: any number of points, N = h w: tokens, C: token width, C':
    features.

    Args:
        in_channels: C.
        out_channels: C'.
        hidden: width of the layers.
        depth: number of layers before density.
        skip: index of the layer the point enters again; None: none.
        position_frequencies: L of points.
        direction_frequencies: L of directions; None: features do not see the
            direction, so that a view shows what is at its points and nothing
            tells the angle.
        conditioning: 'global' | 'film' | 'pixel'.
        activation: what makes density non-negative, 'softplus' | 'relu'. A
            point where relu is 0 gets no gradient.

    Raises:
        ValueError: an option that there is not, a skip that is no layer.

    ImpHMR's feature fields module (Cho et al., CVPR 2023, arXiv:2306.17651);
    its layers, widths and conditioning are not stated: GIRAFFE's (Niemeyer
    and Geiger, CVPR 2021), FiLM (Perez et al., AAAI 2018) and pixelNeRF's
    (Yu et al., CVPR 2021) are our choice.

    Example:
        >>> field = FeatureField(32, out_channels=16, hidden=24)
        >>> image = TokenMap(torch.randn(2, 36, 32), (6, 6))
        >>> of_image = field.conditioned(image)
        >>> points = torch.zeros(2, 5, 3)
        >>> density, features = of_image(points, points)
        >>> density.shape, features.shape, bool((density >= 0).all())
        (torch.Size([2, 5]), torch.Size([2, 5, 16]), True)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 128,
        hidden: int = 128,
        depth: int = 8,
        skip: int | None = 4,
        position_frequencies: int = 10,
        direction_frequencies: int | None = 4,
        conditioning: str = 'global',
        activation: str = 'softplus',
    ) -> None:
        super().__init__()
        for name, value, known in (
            ('conditioning', conditioning, CONDITIONINGS),
            ('activation', activation, tuple(ACTIVATIONS)),
        ):
            if value not in known:
                raise ValueError(f'{name}={value!r} must be one of {known}')
        if skip is not None and not 0 < skip < depth:
            raise ValueError(
                f'skip={skip} is none of the layers 1 to {depth - 1}; None '
                'for no skip'
            )
        self.out_channels = out_channels
        self.skip = skip
        self.conditioning = conditioning
        self.activation = activation
        self.position_frequencies = position_frequencies
        self.direction_frequencies = direction_frequencies
        point = 3 * (1 + 2 * position_frequencies)
        self.layers = nn.ModuleList(
            nn.Linear(hidden if i else point, hidden) for i in range(depth)
        )
        self.point_again = None if skip is None else nn.Linear(point, hidden)
        self.density = nn.Linear(hidden, 1)
        self.features = nn.Linear(hidden, out_channels)
        self.direction: Any = None
        if direction_frequencies is not None:
            self.direction = nn.Linear(
                3 * (1 + 2 * direction_frequencies), out_channels
            )
        self.norm = nn.LayerNorm(in_channels)
        if conditioning == 'film':
            of_layers = 2 * depth
        else:
            of_layers = 1 if skip is None else 2
        # Codes of the layers, then that of the view.
        self.code_widths = [hidden] * of_layers + [out_channels]
        self.codes = nn.Linear(in_channels, sum(self.code_widths))

    def conditioned(self, image: TokenMap, seed: Seed | None = None) -> Field:
        """Return the field of an image, to be asked at points.

        Args:
            image: tokens (B, N, C) on (h, w), the grid of the whole crop.
            seed: what else is known of density: a function of points
                (B, ..., 3) that gives what to add (B, ...) before the
                activation makes it non-negative; None: nothing.

        Returns:
            A function of points (B, ..., 3) and unit directions, alike or
            such as (B, R, 1, 3) for samples (B, R, S, 3) of rays. It gives
            density (B, ...), per half-width of the crop, and features
            (B, ..., C') >= 0.
        """
        tokens, grid, _ = TokenMap.checked(image)
        if self.conditioning == 'pixel':
            codes = TokenMap(self.codes(self.norm(tokens)), grid).as_map()
        else:
            codes = self.codes(self.norm(tokens.mean(1, keepdim=True)))
        return partial(self._ask, codes, seed)

    def forward(
        self, image: TokenMap, points: Tensor, directions: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Condition and ask at once: see :meth:`conditioned`."""
        return self.conditioned(image)(points, directions)

    def _ask(
        self,
        codes: Tensor,
        seed: Seed | None,
        points: Tensor,
        directions: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Density and features at points, of codes of the image."""
        if self.conditioning == 'pixel':
            codes = sample_map(codes, points[..., :2])
        else:
            codes = codes.unflatten(1, [1] * (points.ndim - 2))
        *of_layers, of_view = codes.split(self.code_widths, -1)
        point = frequency_encoding(points, self.position_frequencies)
        x = point
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if self.point_again is not None and index == self.skip:
                x = x + self.point_again(point)
            x = self._with_code(x, of_layers, index).relu_()
        raw = self.density(x)[..., 0]
        if seed is not None:
            raw = raw + seed(points)
        density = ACTIVATIONS[self.activation](raw)
        if self.direction_frequencies is not None:
            direction = frequency_encoding(
                directions, self.direction_frequencies
            )
            of_view = of_view + self.direction(direction)
        return density, (self.features(x) + of_view).relu_()

    def _with_code(self, x: Tensor, codes: list[Tensor], index: int) -> Tensor:
        """Let the image into a layer, where and as ``conditioning`` says."""
        if self.conditioning == 'film':
            return x * (1 + codes[2 * index]) + codes[2 * index + 1]
        if index == 0:
            return x + codes[0]
        return x + codes[1] if index == self.skip else x

    def extra_repr(self) -> str:
        """Say how the image enters and what density is."""
        return (
            f'conditioning={self.conditioning!r}, '
            f'activation={self.activation!r}, skip={self.skip}'
        )


def frequency_encoding(x: Tensor, frequencies: int) -> Tensor:
    """Return numbers (..., D) with sines and cosines of their octaves.

    Args:
        x: (..., D), about -1 to 1.
        frequencies: number L of octaves; 0: the numbers alone.

    Returns:
        (..., D (1 + 2 L)).

    NeRF's positional encoding (Mildenhall et al., ECCV 2020), equation 4.

    Example:
        >>> frequency_encoding(torch.tensor([[0.5]]), 1)
        tensor([[ 5.0000e-01,  1.0000e+00, -4.3711e-08]])
    """
    octave = torch.arange(frequencies, dtype=x.dtype, device=x.device)
    angles = (x[..., None] * (math.pi * 2**octave)).flatten(-2)
    return torch.cat([x, angles.sin(), angles.cos()], -1)


def sample_map(maps: Tensor, places: Tensor) -> Tensor:
    """Read maps (B, C, h, w) at crop coordinates (B, ..., 2): (B, ..., C).

    Bilinear; zero outside the crop, where the image knows nothing.

    Example:
        >>> maps = torch.tensor([[[[1.0, 3.0]]]])
        >>> sample_map(maps, torch.tensor([[[-0.5, 0.0], [0.0, 0.0]]]))
        tensor([[[1.],
                 [2.]]])
    """
    # Places in half precision would be others.
    read = F.grid_sample(
        maps.to(places.dtype),
        places.flatten(1, -2)[:, :, None],
        align_corners=False,
    )
    return read[..., 0].transpose(1, 2).unflatten(1, places.shape[1:-1])
