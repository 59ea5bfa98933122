"""What imagining costs: a training step and an answer, beside less.

    python tools/benchmark/imphmr.py

Three models of one backbone on the same random pictures and people: ImpHMR
as configured, the same with its canonical view alone (``phi0``), and
``SMPLHead`` on the tokens of the backbone (``direct``). Steps alternate, the
median counts. Memory is what a step keeps for its backward pass.
"""

import argparse
import copy
import time
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmd2a.geometry import normalize_keypoints2d, project_points
from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample

CANONICAL = dict(imagination=None, silhouette_decoder=None, consistency=None)


def build_models(cfg: Config) -> dict[str, nn.Module]:
    """The model of the config, and the two that it is compared with."""
    model = cfg.model
    direct = dict(
        type='mmd2a.D2AHMR',
        backbone=model.backbone,
        patch_embedding=model.patch_embedding,
        encoder=dict(
            type='mmd2a.DepthCrossAttentionEncoder',
            depth=1,
            num_heads=4,
            positional_encoding=None,
        ),
        head=dict(type='mmd2a.SMPLHead'),
        objective=model.objective,
    )
    configs = dict(imphmr=model, phi0=dict(model, **CANONICAL), direct=direct)
    return {
        name: MODELS.build(copy.deepcopy(dict(each, data_preprocessor=None)))
        for name, each in configs.items()
    }


def make_people(body: Any, batch: int, size: int) -> list[BodyDataSample]:
    """People with all labels, 4 m before the camera of their crop."""
    generator = torch.Generator().manual_seed(0)
    middle = (size - 1) / 2
    K = torch.tensor(
        [[4.0 * size / 2, 0, middle], [0, 4.0 * size / 2, middle], [0, 0, 1]]
    )
    pose = 0.3 * torch.randn(batch, 72, generator=generator)
    pose[:, 0] += torch.pi
    betas = torch.zeros(batch, body.num_betas)
    place = torch.tensor([[0.0, 0.0, 4.0]]).expand(batch, 3)
    mesh = body(pose[:, :3], pose[:, 3:], betas, place).vertices
    joints = body.regress_joints(mesh, 'h36m14')
    pixels = project_points(joints, K.expand(batch, 3, 3))
    keypoints2d = normalize_keypoints2d(pixels, (size, size))
    samples = []
    for i in range(batch):
        sample = BodyDataSample(metainfo=dict(sample_idx=i))
        sample.gt = BaseDataElement(
            global_orient=pose[i, :3],
            body_pose=pose[i, 3:],
            betas=betas[i],
            transl=place[i],
            smpl_weight=torch.tensor(1.0),
            keypoints3d=joints[i],
            keypoints3d_weight=torch.ones(14),
            keypoints2d=keypoints2d[i],
            keypoints2d_weight=torch.ones(14),
            mask=torch.zeros(1, size, size),
            mask_weight=torch.tensor(0.0),
            K=K,
        )
        samples.append(sample)
    return samples


def kept_bytes(model: nn.Module, inputs: dict, samples: list) -> int:
    """Bytes that a step keeps for its backward pass, parameters apart."""
    kept = {}
    own = {each.untyped_storage().data_ptr() for each in model.parameters()}

    def keep(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        losses = model(inputs, samples, mode='loss')
    del losses
    return sum(kept.values())


def median_times(calls: dict[str, Any], repeats: int) -> dict[str, float]:
    """Median milliseconds of calls that take turns, after one each."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        for name, call in calls.items():
            start = time.process_time()
            call()
            if repeat:
                times[name].append(time.process_time() - start)
    return {
        name: 1e3 * sorted(each)[len(each) // 2]
        for name, each in times.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description='What imagining costs')
    parser.add_argument('--config', default='configs/imphmr/imphmr_hrnet.py')
    parser.add_argument('--batch', type=int, default=24)
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    models = build_models(cfg)
    size = cfg.crop_size
    inputs = dict(img=torch.randn(args.batch, 3, size, size))
    people = make_people(models['imphmr'].body_model, args.batch, size)

    def step(model: nn.Module) -> None:
        total, _ = model.parse_losses(model(inputs, people, mode='loss'))
        total.backward()
        model.zero_grad()

    def answer(model: nn.Module) -> None:
        with torch.no_grad():
            model(inputs, people, mode='predict')

    kept = {
        name: kept_bytes(model.train(), inputs, people) / 2**20
        for name, model in models.items()
    }
    steps = median_times(
        {name: lambda m=model: step(m) for name, model in models.items()},
        args.repeats,
    )
    for model in models.values():
        model.eval()
    answers = median_times(
        {name: lambda m=model: answer(m) for name, model in models.items()},
        args.repeats,
    )
    print(f'{args.batch} crops of {size}, {args.threads} thread(s)')
    print(f'{"":8s}{"step":>10s}{"kept":>10s}{"answer":>10s}')
    for name in models:
        print(
            f'{name:8s}{steps[name]:7.0f} ms{kept[name]:6.0f} MiB'
            f'{answers[name]:7.0f} ms'
        )
    print(
        f'a step takes {steps["imphmr"] / steps["phi0"]:.2f} of phi0 and '
        f'keeps {kept["imphmr"] / kept["phi0"]:.2f}; an answer '
        f'{answers["imphmr"] / answers["direct"]:.2f} of direct'
    )


if __name__ == '__main__':
    main()
