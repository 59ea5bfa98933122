"""Token maps to the numbers of one person, knowing what was where."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmd2a.models.resampling import average_map
from mmd2a.structures import LocalizedJoints, TokenMap, missing_as_nobodys


class TokenRegressor(nn.Module):
    """Flatten image and depth tokens on a fixed grid, then regress.

    Tokens are reduced to few channels, averaged onto a (g, g) grid and
    flattened, so each position has its own weights; averaging all tokens
    would blur where a limb is. Any token grid fits. Depth, the skip of
    D2A-HMR into R, enters twice: beside the image features, and by a linear
    path straight to the output. The output starts at about a hundredth of
    its input's size.

    Without depth the depth part is exactly zero, whatever its tokens hold.

    With several ``iterations`` the output is corrected by what layers of its
    own say of it and of the hidden layer, as HMR's regressor does.

    What a :class:`JointLocalizer` knows of the joints is mixed by layers of
    its own and added to the hidden layer.

    B: batch, N = h w, N': tokens, C, C': their widths, F: hidden width, O:
    number of outputs.

    Args:
        in_channels: C.
        depth_channels: C', or None for no depth and no parameters for it.
        hidden: F.
        num_outputs: O.
        joint_inputs: length of ``LocalizedJoints.flat()``; None: no localised
            joints and no parameters for them.
        reduced: channels an image token is reduced to.
        depth_reduced: channels a depth token is reduced to.
        grid_size: g.
        iterations: how often the output is told; 1: at once.

    Raises:
        ValueError: no iteration.

    Iterations: Kanazawa et al., "End-to-end Recovery of Human Shape and
    Pose", CVPR 2018, section 3.2.
    """

    def __init__(
        self,
        in_channels: int,
        depth_channels: int | None,
        hidden: int,
        num_outputs: int,
        joint_inputs: int | None = None,
        reduced: int = 32,
        depth_reduced: int = 16,
        grid_size: int = 6,
        iterations: int = 1,
    ) -> None:
        super().__init__()
        if iterations < 1:
            raise ValueError(f'iterations={iterations} must be at least 1')
        self.grid_size = grid_size
        self.iterations = iterations
        self.norm = nn.LayerNorm(in_channels)
        self.reduce = nn.Linear(in_channels, reduced)
        self.depth_channels = depth_channels
        flat_channels = reduced * grid_size**2
        if depth_channels is not None:
            self.depth_reduce = nn.Linear(depth_channels, depth_reduced)
            flat_depth_channels = depth_reduced * grid_size**2
            flat_channels += flat_depth_channels
            self.depth_output = nn.Linear(
                flat_depth_channels, num_outputs, bias=False
            )
            _start_small(self.depth_output)
        self.mix = nn.Sequential(nn.Linear(flat_channels, hidden), nn.GELU())
        self.joint_mix: nn.Module | None = None
        if joint_inputs is not None:
            self.joint_mix = nn.Sequential(
                nn.Linear(joint_inputs, hidden),
                nn.GELU(),
                nn.Linear(hidden, hidden),
            )
        self.output = nn.Linear(hidden, num_outputs)
        _start_small(self.output)
        self.again: nn.Module | None = None
        if iterations > 1:
            self.again = nn.Sequential(
                nn.Linear(hidden + num_outputs, hidden), nn.GELU()
            )

    def forward(
        self,
        z: TokenMap,
        depth: TokenMap | None = None,
        joints: LocalizedJoints | None = None,
    ) -> Tensor:
        """Turn tokens into numbers.

        Args:
            z: (B, N, C) on (h, w).
            depth: (B, N', C') on a grid of its own, with ``has`` where not
                all samples have depth; None: nobody has.
            joints: localised joints, where the regressor is built for them.

        Returns:
            (B, O).
        """
        tokens, grid, _ = TokenMap.checked(z)
        flat = self._flatten(self.reduce(self.norm(tokens)), grid)
        if self.depth_channels is None:
            features = self._with_joints(self.mix(flat), joints)
            return self._corrected(self.output(features), features)
        if depth is not None:
            TokenMap.checked(depth, 'depth tokens')
        flat_depth = self._flatten_depth(
            missing_as_nobodys(depth, z, self.depth_channels), flat
        )
        features = self._with_joints(
            self.mix(torch.cat([flat, flat_depth], 1)), joints
        )
        return self._corrected(
            self.output(features) + self.depth_output(flat_depth), features
        )

    def _corrected(self, output: Tensor, features: Tensor) -> Tensor:
        """Let the output (B, O) be seen, and corrected, some more times."""
        if self.again is not None:
            for _ in range(self.iterations - 1):
                seen = torch.cat([features, output.to(features.dtype)], 1)
                output = output + self.output(self.again(seen))
        return output

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any
    ) -> None:
        """Load the weights of a regressor with or without depth.

        Where only one of the two has depth, the columns of depth in the mixing
        layer are zero or dropped: what it answers without depth is the same.
        """
        key = f'{prefix}mix.0.weight'
        weight = state_dict.get(key)
        theirs = f'{prefix}depth_output.weight' in state_dict
        if weight is not None and theirs != (self.depth_channels is not None):
            own: Any = self.mix[0].weight
            missing = own.shape[1] - weight.shape[1]
            state_dict[key] = F.pad(weight, (0, missing))
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _with_joints(
        self, features: Tensor, joints: LocalizedJoints | None
    ) -> Tensor:
        """Add what is known of the joints to the hidden layer (B, F)."""
        if (joints is None) != (self.joint_mix is None):
            raise ValueError(
                'localised joints and joint_inputs go together: set '
                "model.localizer=dict(type='mmd2a.JointLocalizer'), or build "
                'the head without them'
            )
        if joints is None or self.joint_mix is None:
            return features
        return features + self.joint_mix(joints.flat().to(features.dtype))

    def _flatten_depth(self, depth: TokenMap | None, beside: Tensor) -> Tensor:
        """Depth -> (B, c' g g); exactly 0 where there is none."""
        if depth is None:
            return beside.new_zeros(
                beside.shape[0], self.depth_output.in_features
            )
        flat = self._flatten(self.depth_reduce(depth.tokens), depth.grid)
        if depth.has is None:
            return flat
        # The bias is no depth either.
        return torch.where(depth.has[:, None], flat, 0.0)

    def _flatten(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """(B, N, c) -> (B, c g g)."""
        size = (self.grid_size, self.grid_size)
        return average_map(TokenMap(tokens, grid).as_map(), size).flatten(1)


def _start_small(layer: nn.Linear) -> None:
    """Not at zero, where the layers before it would get no gradient."""
    nn.init.normal_(layer.weight, std=0.01 * layer.in_features**-0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
