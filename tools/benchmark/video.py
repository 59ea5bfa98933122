"""What smoothing does to a video of fast hands, and how fast a video goes.

    python tools/benchmark/video.py
    python tools/benchmark/video.py --motions punch throw --lengths
    python tools/benchmark/video.py --motions --lengths 100 1000

People are filmed who move fast (``mmd2a.people.sequence``); a model predicts
every frame, from boxes that tremble as those of detectors do. Told are jitter,
acceleration error, MPJPE of all joints and of the wrists, and how far the
wrists reach, before and after smoothing, of joints relative to their root;
jitter also before the camera. Then the whole way of a video, files and
pictures with it: frames per second, and memory over the number of frames.

The settings of smoothing were chosen on seeds 0 to 5; those here are others.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from mmd2a.apis import MeshInferencer, PersonMesh
from mmd2a.apis.video.files import VideoFile
from mmd2a.apis.video.smoothing import Smoothing
from mmd2a.apis.video.streams import identify, smooth_stream
from mmd2a.apis.video.tracking import Tracker
from mmd2a.evaluation import acceleration_error, jitter
from mmd2a.people import Person
from mmd2a.people.sequence import render_sequence

FPS = 30.0
# Seconds in which a motion comes back.
PERIODS = dict(punch=0.8, jumping_jack=0.9, throw=1.0, dance=2.0, wave=1.0)
WRISTS = [6, 11]  # of h36m14
HIPS = [2, 3]


def film(motion: str, seed: int, num_frames: int, size: int) -> list[Person]:
    """A person who repeats a motion."""
    return list(
        render_sequence(seed, motion, num_frames, FPS, PERIODS[motion], size)
    )


def trembling_boxes(people: list[Person], seed: int, share: float) -> Any:
    """Boxes (T, 1, 4), off by a share of their size (one sigma) each edge."""
    boxes = np.stack([person.labels['bbox'] for person in people])
    size = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    noise = np.random.default_rng(seed).normal(size=boxes.shape)
    return (boxes + share * size * noise)[:, None]


def measure(
    predicted: list[list[PersonMesh]], people: list[Person]
) -> dict[str, float]:
    """Errors of a sequence; see above."""
    joints = np.stack([each[0].keypoints3d for each in predicted])
    place = np.stack([each[0].transl for each in predicted])[:, None]
    labels = np.stack([p.labels['keypoints3d_h36m14'] for p in people])
    truth = labels - labels[:, HIPS].mean(1, keepdims=True)
    pred, target = torch.from_numpy(joints), torch.from_numpy(truth)
    error = 1e3 * np.linalg.norm(joints - truth, axis=-1)
    return dict(
        jitter=float(jitter(pred, FPS).mean()),
        camera=float(jitter(torch.from_numpy(joints + place), FPS).mean()),
        truth=float(jitter(target, FPS).mean()),
        accel=float(acceleration_error(pred, target).mean()),
        mpjpe=float(error.mean()),
        wrists=float(error[:, WRISTS].mean()),
        reach=float(np.ptp(joints[:, WRISTS], axis=0).max()),
        true_reach=float(np.ptp(truth[:, WRISTS], axis=0).max()),
        speed=float(
            FPS
            * np.linalg.norm(np.diff(truth[:, WRISTS], axis=0), axis=-1).max()
        ),
    )


def compare(inferencer: MeshInferencer, args: argparse.Namespace) -> None:
    """Print what smoothing does, a line per motion."""
    sums: dict[str, list[float]] = {}
    for number, motion in enumerate(args.motions):
        seed = args.seed + number
        people = film(motion, seed, args.num_frames, args.image_size)
        boxes = trembling_boxes(people, seed, args.box_noise)
        raw = [
            result['predictions'][0]
            for result in inferencer(
                [person.image for person in people],
                bboxes=list(boxes),
                K=np.stack([person.labels['K'] for person in people]),
            )
        ]
        named = list(identify(raw, FPS, Tracker()))
        before = measure(raw, people)
        for name, settings in (
            ('ahead', Smoothing()),
            ('live', Smoothing(lookahead=0)),
        ):
            after = measure(list(smooth_stream(named, FPS, settings)), people)
            share = {k: after[k] / before[k] - 1 for k in after}
            sums.setdefault(name, []).append(share['jitter'])
            sums.setdefault(f'{name} mpjpe', []).append(share['mpjpe'])
            print(
                f'{motion} {name} ({before["speed"]:.1f} m/s): jitter '
                f'{before["jitter"]:.0f} -> {after["jitter"]:.0f} '
                f'({share["jitter"]:+.0%}, truth {before["truth"]:.0f}), '
                f'before the camera {before["camera"]:.0f} -> '
                f'{after["camera"]:.0f}; Accel {before["accel"]:.0f} -> '
                f'{after["accel"]:.0f} mm/frame²; MPJPE '
                f'{before["mpjpe"]:.1f} -> {after["mpjpe"]:.1f} mm '
                f'({share["mpjpe"]:+.1%}), wrists {before["wrists"]:.0f} -> '
                f'{after["wrists"]:.0f} ({share["wrists"]:+.1%}), reach '
                f'{before["reach"]:.2f} -> {after["reach"]:.2f} m (truth '
                f'{before["true_reach"]:.2f})',
                flush=True,
            )
    for name in ('ahead', 'live'):
        print(
            f'{name}: jitter {np.mean(sums[name]):+.0%} (least '
            f'{max(sums[name]):+.0%}), MPJPE '
            f'{np.mean(sums[f"{name} mpjpe"]):+.1%} (most '
            f'{max(sums[f"{name} mpjpe"]):+.1%})'
        )


def speed(inferencer: MeshInferencer, args: argparse.Namespace) -> None:
    """Print frames per second and memory of whole videos."""
    people = film('punch', args.seed, 50, args.image_size)
    boxes = trembling_boxes(people, args.seed, args.box_noise)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in args.lengths:
            video = folder / f'{number}.avi'
            writer = cv2.VideoWriter(
                str(video), cv2.VideoWriter.fourcc(*'MJPG'), FPS,
                (args.image_size, args.image_size),
            )  # fmt: skip
            for index in range(number):
                writer.write(people[index % 50].image)
            writer.release()
            of_frames = boxes[np.arange(number) % 50]
            for what, outputs in (
                ('numbers', dict(pred_out_dir=folder / 'out')),
                ('numbers and video', dict(out_dir=folder / 'out')),
            ):
                _forget_peak()
                start, cpu = time.perf_counter(), time.process_time()
                for _ in inferencer(str(video), bboxes=of_frames, **outputs):
                    pass
                seconds = time.perf_counter() - start
                print(
                    f'{number:4d} frames, {what:17s}: '
                    f'{number / seconds:5.1f} frames/s, '
                    f'{1e3 * (time.process_time() - cpu) / number:4.0f} ms of '
                    f'a core per frame, peak memory {_peak():.0f} MB',
                    flush=True,
                )


def codecs(args: argparse.Namespace) -> None:
    """Print what compressing a picture costs."""
    people = film('punch', args.seed, 20, 480)
    from mmd2a.apis.video import files

    ours = files._CODEC
    for codec in ('VP80', 'VP90'):
        files._CODEC = codec
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'video.webm')
            cpu = time.process_time()
            video = VideoFile(path, FPS)
            for person in people:
                video.add(person.image[..., ::-1])
            video.finish()
            cpu = (time.process_time() - cpu) / len(people)
            print(
                f'{codec}: {1e3 * cpu:.0f} ms of a core per picture of '
                f'480x480, {path.stat().st_size / len(people) / 1e3:.1f} kB'
            )
    files._CODEC = ours


def _forget_peak() -> None:
    Path('/proc/self/clear_refs').write_text('5')


def _peak() -> float:
    """Most memory since it was forgotten, MB (Linux)."""
    status = Path('/proc/self/status').read_text().splitlines()
    [line] = [line for line in status if line.startswith('VmHWM')]
    return int(line.split()[1]) / 1e3


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--motions', nargs='*', choices=PERIODS, default=[*PERIODS]
    )
    parser.add_argument('--num-frames', type=int, default=100)
    parser.add_argument('--image-size', type=int, default=256)
    parser.add_argument('--seed', type=int, default=100)
    parser.add_argument(
        '--box-noise', type=float, default=0.02, help='share of the size'
    )
    parser.add_argument('--lengths', type=int, nargs='*', default=[100, 400])
    parser.add_argument('--threads', type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    inferencer = MeshInferencer()
    if args.motions:
        compare(inferencer, args)
    if args.lengths:
        speed(inferencer, args)
        codecs(args)


if __name__ == '__main__':
    main()
