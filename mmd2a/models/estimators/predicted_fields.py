"""What a model tells of a batch of people, of its raw outputs."""

from typing import Any

import torch
from torch import Tensor, nn

from mmd2a.geometry.rotations import matrix_to_axis_angle

# Outputs that are told as they are.
_AS_THEY_ARE = (
    'vertices',
    'keypoints3d',
    'keypoints2d',
    'camera',
    'coarse_vertices',
    'betas',
)


def predicted_fields(
    output: dict[str, Any],
    head: nn.Module,
    flow_head: Any = None,
    num_samples: int = 0,
    body_fitter: Any = None,
) -> dict[str, Tensor]:
    """Turn raw outputs into the fields of ``pred``.

    B: batch, V: vertices, J: joints, D: dims of sigma, S: samples.

    Args:
        output: what the network gave.
        head: the mesh head, which spreads sigma over the vertices.
        flow_head: the density of joints and mesh; None: there is none.
        num_samples: S draws of the joints from it.
        body_fitter: a :class:`~mmd2a.body_models.BodyFitter`; None: the
            parameters of a body are told where the head gives them.

    Returns:
        Name -> (B, ...).
    """
    fields = {key: output[key] for key in _AS_THEY_ARE if key in output}
    if output.get('localized') is not None:
        fields['keypoints2d_localized'] = output['localized'].keypoints2d
    if 'mask' in output:
        fields['mask'] = output['mask'].sigmoid()
    if flow_head is not None:
        fields.update(_distribution(output, head, flow_head, num_samples))
    if 'body_pose' in output:
        for key in ('global_orient', 'body_pose'):
            fields[key] = matrix_to_axis_angle(output[key]).flatten(1)
    if body_fitter is not None:
        fields.update(body_fitter.parameters_of(output))
    return fields


def _distribution(
    output: dict[str, Any], head: Any, flow_head: Any, num_samples: int
) -> dict[str, Tensor]:
    """How far joints and vertices may be off, and where they may be."""
    dims = flow_head.dims
    mean = output[f'keypoints{dims}d']
    sigma = output['sigma'][:, : mean.shape[1]]
    fields = {f'keypoints{dims}d_sigma': sigma}
    if dims == 3:
        # One number per vertex: the mean over the axes.
        coarse = output['sigma'][:, -head.num_coarse_vertices :]
        fields['sigma'] = head.upsample_sigma(coarse).mean(-1)
    if num_samples:
        draws = flow_head.sample(
            mean,
            sigma,
            num_samples,
            torch.Generator(mean.device).manual_seed(0),
        )
        fields[f'keypoints{dims}d_samples'] = draws.transpose(0, 1)
    return fields
