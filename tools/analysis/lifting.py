"""Two small networks: 2-D joints to 3-D, and a correction by depth."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from lifting_people import SIZE, People
from torch import Tensor, nn
from tqdm import tqdm

from mmd2a.depth import depth_residual
from mmd2a.evaluation.functional import mpjpe, mpjpe_z, pa_mpjpe, pa_mpjpe_z

METRICS = {
    'MPJPE': mpjpe,
    'PA-MPJPE': pa_mpjpe,
    'MPJPE-z': mpjpe_z,
    'PA-MPJPE-z': pa_mpjpe_z,
}
BLANKED = 'blanked'
NEAR = 0.3  # metres, as in mmd2a.MeshRefiner
FEATURES = 4  # of depth, of each joint
# Noisy views of a person that the second network learns from.
VIEWS = 8
BATCH, WIDTH, LEARNING_RATE, WEIGHT_DECAY = 128, 384, 1e-3, 0.05


class Lifter(nn.Module):
    """Numbers of a person to a change of its joints; starts near zero."""

    def __init__(self, inputs: int, joints: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, WIDTH)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(WIDTH),
                nn.Linear(WIDTH, WIDTH),
                nn.GELU(),
                nn.Dropout(0.1),
                nn.Linear(WIDTH, WIDTH),
            )
            for _ in range(2)
        )
        self.last = nn.Linear(WIDTH, 3 * joints)
        nn.init.normal_(self.last.weight, std=1e-3)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, F) -> (N, J, 3) in metres."""
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x).unflatten(1, (-1, 3))


def train(
    model: Lifter,
    steps: int,
    seed: int,
    batch: Callable[[torch.Generator], tuple[Tensor, Any, Tensor]],
    bar: tqdm,
) -> Lifter:
    """Train on what ``batch(generator)`` draws: inputs, start, target."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # of dropout
    optimizer = torch.optim.AdamW(
        model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, steps, pct_start=0.05
    )
    model.train()
    for _ in range(steps):
        inputs, start, target = batch(generator)
        loss = (start + model(inputs) - target).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        bar.update()
    return model.eval()


def noisy(
    keypoints: Tensor, noise: float, generator: torch.Generator
) -> Tensor:
    """Joints (..., 2) found with an error of so many pixels an axis."""
    error = torch.randn(keypoints.shape, generator=generator)
    return keypoints + error * noise * 2 / SIZE


def train_lifter(
    people: People, noise: float, seed: int, steps: int, bar: tqdm
) -> Lifter:
    """The first network: 2-D joints to 3-D."""
    count, joints = people.keypoints2d.shape[:2]
    torch.manual_seed(seed)
    model = Lifter(2 * joints, joints)

    def batch(generator: torch.Generator) -> tuple[Tensor, Any, Tensor]:
        rows = torch.randint(count, (BATCH,), generator=generator)
        seen = noisy(people.keypoints2d[rows], noise, generator)
        return seen.flatten(1), 0.0, people.keypoints3d[rows]

    return train(model, steps, seed, batch, bar)


@torch.no_grad()
def evidence(
    people: People, level: float, seen: Tensor, joints: Tensor
) -> Tensor:
    """What depth says of predicted joints, (N, J, 4), as MeshRefiner has it.

    Args:
        people: N of them.
        level: of the degradation.
        seen: 2-D joints (N, J, 2) that the prediction is of.
        joints: predicted (N, J, 3).
    """
    found = []
    for first in range(0, len(seen), 500):
        rows = slice(first, first + 500)
        value = torch.from_numpy(people.depth[level][rows].astype(np.float32))
        maps = torch.stack([value, value.isfinite().float()], 1)
        z = joints[rows, :, 2]
        residual, known = depth_residual(
            maps, seen[rows], z, torch.ones_like(z, dtype=torch.bool)
        )
        near = known & (residual.abs() < NEAR)
        residual = residual.clamp(-1, 1) / 0.1
        parts = [residual, residual * near, near.float(), known.float()]
        found.append(torch.stack(parts, -1))
    return torch.cat(found)


@torch.no_grad()
def second_inputs(
    people: People, lifter: Lifter, noise: float, level: Any, seed: int
) -> tuple[Tensor, Tensor]:
    """Inputs (N, F) of the second network, and what it is to correct."""
    generator = torch.Generator().manual_seed(seed)
    seen = noisy(people.keypoints2d, noise, generator)
    joints = lifter(seen.flatten(1))
    if level == BLANKED:
        depth = torch.zeros(*seen.shape[:2], FEATURES)
    else:
        depth = evidence(people, level, seen, joints)
    parts = [seen, joints / 0.3, depth]
    return torch.cat([part.flatten(1) for part in parts], 1), joints


def carry_out(
    noise: float,
    level: Any,
    seed: int,
    lifter: Lifter,
    people: People,
    test: People,
    steps: int,
    bar: tqdm,
) -> dict[str, float]:
    """Train the second network on people new to the first; test, in mm."""
    views = VIEWS if noise else 1
    # Seeds of noise: those of training, and one of testing.
    made = [
        second_inputs(people, lifter, noise, level, 1000 * seed + view)
        for view in range(views)
    ]
    inputs, start = (torch.stack(each) for each in zip(*made))
    torch.manual_seed(seed)
    model = Lifter(inputs.shape[-1], start.shape[-2])

    def batch(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        view = torch.randint(views, (BATCH,), generator=generator)
        rows = torch.randint(inputs.shape[1], (BATCH,), generator=generator)
        return inputs[view, rows], start[view, rows], people.keypoints3d[rows]

    train(model, steps, seed, batch, bar)
    given, first = second_inputs(test, lifter, noise, level, 1000 * seed + 999)
    with torch.no_grad():
        final = first + model(given)
    return {
        name: 1000 * float(metric(final, test.keypoints3d).mean())
        for name, metric in METRICS.items()
    }
