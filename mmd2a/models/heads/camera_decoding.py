"""From the numbers of a network to a camera."""

import math

import torch
from torch import Tensor, nn


def decode_camera(raw: Tensor) -> Tensor:
    """Turn raw numbers (B, 3) into a weak-perspective camera (s, tx, ty).

    s is positive and 0.9 at zero: a person of 1.8 m then takes up 1 / 1.25
    of the crop.
    """
    offset = math.log(math.expm1(0.9))
    scale = nn.functional.softplus(raw[:, :1] + offset)
    return torch.cat([scale, raw[:, 1:]], 1)
