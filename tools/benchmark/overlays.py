"""Time mesh overlays against pyrender on software GL, in one run.

    OMP_NUM_THREADS=1 LP_NUM_THREADS=1 python tools/benchmark/overlays.py \
        --size 1024

Both shade the same body over the same picture, one thread each, rounds by
turns. pyrender wants an older NumPy than this package, so it may live in an
environment of its own: name that one's Python with --peer-python. GL is
PYOPENGL_PLATFORM, `egl` if not set. Without pyrender only our times are
printed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from mmd2a.body_models import SMPLBodyModel
from mmd2a.visualization.overlays import mesh_overlay

# Run by the peer's Python: for every line read, draw once and print seconds.
PEER = """
import sys, time
import numpy as np, pyrender, trimesh
from OpenGL.GL import GL_RENDERER, glGetString

data = np.load(sys.argv[1])
image, K = data['image'], data['K']
height, width = image.shape[:2]
renderer = pyrender.OffscreenRenderer(width, height)

def draw(vertices):
    # GL looks along -z with +y up.
    mesh = trimesh.Trimesh(vertices * [1, -1, -1], data['faces'],
                           process=False)
    material = pyrender.MetallicRoughnessMaterial(
        metallicFactor=0.1, baseColorFactor=(0.66, 0.75, 0.87, 1))
    scene = pyrender.Scene(bg_color=[0, 0, 0, 0], ambient_light=(.3, .3, .3))
    scene.add(pyrender.Mesh.from_trimesh(mesh, material=material))
    scene.add(pyrender.IntrinsicsCamera(
        K[0, 0], K[1, 1], K[0, 2] + .5, K[1, 2] + .5))
    scene.add(pyrender.DirectionalLight(color=np.ones(3), intensity=3))
    rgba, _ = renderer.render(scene, flags=pyrender.RenderFlags.RGBA)
    share = rgba[..., 3:].astype(np.float32) / 255
    return (share * rgba[..., :3] + (1 - share) * image).astype(np.uint8)

draw(data['vertices'][0])
print(glGetString(GL_RENDERER).decode(), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    draw(data['vertices'][int(line)])
    print(time.perf_counter() - start, flush=True)
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time mesh overlays against pyrender.',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--size', type=int, default=1024, help='side, px')
    parser.add_argument(
        '--people', type=int, default=5, help='bodies, seeds 0 and on'
    )
    parser.add_argument('--rounds', type=int, default=5, help='per body')
    parser.add_argument(
        '--peer-python',
        default=sys.executable,
        help='Python of an environment with pyrender',
    )
    return parser.parse_args()


def make_bodies(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, V, 3) of people before the camera, and their faces."""
    torch.set_num_threads(1)
    model = SMPLBodyModel()
    bodies = []
    for seed in range(number):
        rng = torch.Generator().manual_seed(seed)
        upright = torch.tensor([[torch.pi, 0, 0]])
        vertices = model(
            upright + 0.4 * torch.randn(1, 3, generator=rng),
            0.25 * torch.randn(1, 69, generator=rng),
            torch.randn(1, 10, generator=rng),
        ).vertices[0]
        vertices = vertices.double().numpy()
        bodies.append(vertices - vertices.mean(0) + [0, 0, 3.2])
    return np.stack(bodies), model.faces.numpy()


class Peer:
    """pyrender in a process of its own; ``name`` is None if it is absent."""

    def __init__(self, python: str, data: Path) -> None:
        env = {'PYOPENGL_PLATFORM': 'egl', 'LP_NUM_THREADS': '1', **os.environ}
        env.pop('PYTHONPATH', None)
        self.process = subprocess.Popen(
            [python, '-W', 'ignore', '-c', PEER, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        )
        assert self.process.stdin and self.process.stdout
        self.input, self.output = self.process.stdin, self.process.stdout
        self.name = self.output.readline().strip() or None

    def seconds(self, person: int) -> float:
        """Let it draw a person."""
        print(person, file=self.input, flush=True)
        return float(self.output.readline())

    def close(self) -> str:
        """End it; its last words."""
        _, errors = self.process.communicate()
        return errors.strip().rpartition('\n')[2]


def main() -> None:
    args = parse_args()
    size = args.size
    vertices, faces = make_bodies(args.people)
    K = np.array(
        [
            [1.5 * size, 0, (size - 1) / 2],
            [0, 1.5 * size, (size - 1) / 2],
            [0, 0, 1],
        ]
    )
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (size, size, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / 'bodies.npz'
        np.savez(data, vertices=vertices, faces=faces, K=K, image=image)
        peer = Peer(args.peer_python, data)
        mesh_overlay(image, vertices[0], faces, K)
        ours, theirs = [], []
        for _ in range(args.rounds):
            for person in range(args.people):
                start = time.perf_counter()
                mesh_overlay(image, vertices[person], faces, K)
                ours.append(time.perf_counter() - start)
                if peer.name:
                    theirs.append(peer.seconds(person))
        words = peer.close()
    print(
        f'{size} px, {args.people} people x {args.rounds} rounds, ms, median '
        f'(least to most)'
    )
    rows = [('mmd2a', ours)]
    if peer.name:
        rows.append((f'pyrender, {peer.name}', theirs))
    for name, seconds in rows:
        print(
            f'{name:42s}{1e3 * statistics.median(seconds):7.1f} '
            f'({1e3 * min(seconds):.1f} to {1e3 * max(seconds):.1f})'
        )
    if peer.name:
        ratios = sorted(b / a for a, b in zip(ours, theirs))
        print(
            f'{"times faster, pairs":42s}{statistics.median(ratios):7.2f} '
            f'({ratios[0]:.2f} to {ratios[-1]:.2f})'
        )
    else:
        print(f'pyrender cannot be run by {args.peer_python}: {words}')


if __name__ == '__main__':
    main()
