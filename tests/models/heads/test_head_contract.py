"""What D2AHMR asks of a mesh head; every registered one is tried here."""

import inspect

import pytest
import torch
from torch import nn

from mmd2a.models.heads.mesh_head_contract import require_coarse_mesh
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap

B, C, C_DEPTH, K, GRID = 2, 24, 12, 60, (6, 6)
MODELS.import_from_location()
# A head of a mesh takes tokens and a body; a new one is found by itself.
HEADS = [
    name
    for name, part in MODELS.module_dict.items()
    if '.models.heads.' in part.__module__
    and {'in_channels', 'body_model'}
    <= inspect.signature(part).parameters.keys()
]


def tokens(channels: int, has: torch.Tensor | None = None) -> TokenMap:
    torch.manual_seed(1)
    count = GRID[0] * GRID[1]
    return TokenMap(torch.randn(B, count, channels), GRID, has)


@pytest.fixture(params=HEADS)
def head(request, body):
    """Built with what D2AHMR hands on."""
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type=f'mmd2a.{request.param}',
            in_channels=C,
            depth_channels=C_DEPTH,
            body_model=body,
            num_coarse_vertices=K,
        )
    )


def test_it_gives_a_mesh_its_coarse_mesh_and_a_camera(head, body):
    out = head(tokens(C), tokens(C_DEPTH))
    assert out['vertices'].shape == (B, body.num_vertices, 3)
    assert out['coarse_vertices'].shape == (B, head.num_coarse_vertices, 3)
    assert out['camera'].shape == (B, 3)
    assert (out['camera'][:, 0] > 0).all()


def test_it_knows_which_vertices_its_coarse_mesh_has(head, body):
    assert head.coarse_ids.shape == (head.num_coarse_vertices,)
    assert head.coarse_ids.max() < body.num_vertices


def test_it_carries_sigma_to_the_vertices(head, body):
    sigma = torch.rand(B, head.num_coarse_vertices, 3)
    carried = head.upsample_sigma(sigma)
    assert carried.shape == (B, body.num_vertices, 3)
    assert (carried >= 0).all()


def test_a_flow_head_finds_what_it_needs(head, body):
    require_coarse_mesh(head, body.num_vertices)


@pytest.mark.parametrize(
    'name, value, why',
    [
        ('upsample_sigma', None, 'lacks upsample_sigma, which flow_head'),
        ('coarse_ids', None, 'lacks coarse_ids'),
        ('num_coarse_vertices', 0, 'is 0, but must be a number from 1'),
        ('coarse_ids', torch.arange(7), r'a tensor of 60 whole.* is \(7,\)'),
        ('coarse_ids', torch.full((60,), 10**6), 'whole numbers below'),
        ('upsample_sigma', lambda x: x, r'gives \(1, 60, 3\) for'),
    ],
)
def test_a_head_that_does_not_fit_is_told_when_built(name, value, why, body):
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            parts = dict(
                num_coarse_vertices=K,
                coarse_ids=torch.arange(K),
                upsample_sigma=lambda x: x.new_ones(1, body.num_vertices, 3),
            )
            parts[name] = value
            for key, part in parts.items():
                if part is not None:
                    setattr(self, key, part)

        def forward(self, z, depth=None):
            return {}

    with pytest.raises(TypeError, match=why):
        require_coarse_mesh(Head(), body.num_vertices)


def test_depth_that_is_missing_leaves_no_trace(head):
    missing = tokens(C_DEPTH, torch.zeros(B))
    missing.tokens[:] = torch.nan
    with torch.no_grad():
        out = head(tokens(C), missing)
        nobody = head(tokens(C))
    assert torch.equal(out['vertices'], nobody['vertices'])
    assert out['vertices'].isfinite().all()


@pytest.mark.parametrize('with_depth', [True, False])
def test_every_parameter_has_a_gradient(head, with_depth):
    """So that DDP needs no ``find_unused_parameters``."""
    out = head(tokens(C), tokens(C_DEPTH) if with_depth else None)
    (out['vertices'].sum() + out['camera'].sum()).backward()
    assert not [n for n, p in head.named_parameters() if p.grad is None]


def test_nothing_of_the_body_is_saved(head):
    """It may be licensed."""
    parameters = {name for name, _ in head.named_parameters()}
    assert head.state_dict().keys() == parameters
