"""Time the network of a model: eager, fused, and exported to ONNX.

    mmd2a export mmd2a://d2a_hmr_mobilenet-v2 --out model.onnx
    python tools/benchmark/inference.py --onnx model.onnx

Prints crops per second for batches of 1, 8 and 32 on 1 and 2 threads:

- eager: the model as built, no_grad
- fused: normalisations in the convolutions, channels_last, inference_mode, as
  `Predictor` runs it
- onnx: the file, by onnxruntime on the processor

The three take turns, so that what else the machine does meets all of them, and
the best of the rounds counts. Processor time is what each costs however busy
the machine is; the last column compares it. `onnx` needs onnxruntime.
"""

import argparse
import sys
import time
from collections.abc import Callable

import torch

from mmd2a.apis import get_model
from mmd2a.apis.exported_mesh import ExportedMesh
from mmd2a.apis.fused_backbone import fuse_backbone

Run = Callable[[tuple[torch.Tensor, ...]], object]
_DONE_AFTER = 2.0


def eager(mesh: ExportedMesh) -> Run:
    def run(inputs: tuple[torch.Tensor, ...]) -> object:
        with torch.no_grad():
            return mesh(*inputs)

    return run


def fused(mesh: ExportedMesh) -> Run:
    fuse_backbone(mesh.model)
    mesh.to(memory_format=torch.channels_last).requires_grad_(False)

    def run(inputs: tuple[torch.Tensor, ...]) -> object:
        with torch.inference_mode():
            return mesh(*inputs)

    return run


def onnx(path: str, names: tuple[str, ...], threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options)

    def run(inputs: tuple[torch.Tensor, ...]) -> object:
        arrays = (value.numpy() for value in inputs)
        return session.run(None, dict(zip(names, arrays)))

    return run


def seconds(run: Run, inputs: tuple[torch.Tensor, ...]) -> tuple[float, float]:
    """Wall and processor time of a batch."""
    wall, processor = time.perf_counter(), time.process_time()
    run(inputs)
    return time.perf_counter() - wall, time.process_time() - processor


def best_of_turns(
    runs: dict[str, Run], inputs: tuple[torch.Tensor, ...], rounds: int
) -> dict[str, tuple[float, float]]:
    """Wall and processor seconds of each, the best of the rounds."""
    for run in runs.values():
        run(inputs)  # Allocates.
    best = dict.fromkeys(runs, (float('inf'), float('inf')))
    start = time.perf_counter()
    for number in range(rounds):
        for name, run in runs.items():
            wall, processor = seconds(run, inputs)
            best[name] = (
                min(best[name][0], wall),
                min(best[name][1], processor),
            )
        if number >= 4 and time.perf_counter() - start > _DONE_AFTER * rounds:
            break
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', default='d2a_hmr_mobilenet-v2')
    parser.add_argument('--size', type=int, default=128)
    parser.add_argument('--onnx', metavar='FILE')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--batches', type=int, nargs='+', default=[1, 8, 32])
    parser.add_argument('--threads', type=int, nargs='+', default=[1, 2])
    args = parser.parse_args()
    with_eager, with_fused = (
        ExportedMesh(get_model(f'mmd2a::{args.model}'), args.size)
        for _ in range(2)
    )
    runs = {'eager': eager(with_eager), 'fused': fused(with_fused)}
    if args.onnx is None:
        sys.stderr.write('no --onnx FILE: eager and fused alone\n')
    print(
        '| threads | batch | how | crops/s | crops/s of processor time | '
        'against eager |\n|---|---|---|---|---|---|'
    )
    for threads in args.threads:
        torch.set_num_threads(threads)
        if args.onnx:
            runs['onnx'] = onnx(args.onnx, with_eager.input_names, threads)
        for batch in args.batches:
            inputs = with_eager.draw(batch)
            best = best_of_turns(runs, inputs, args.rounds)
            for name, times in best.items():
                rates = ' | '.join(f'{batch / each:.1f}' for each in times)
                against = best['eager'][1] / times[1]
                print(
                    f'| {threads} | {batch} | {name} | {rates} | '
                    f'{against:.2f} |',
                    flush=True,
                )


if __name__ == '__main__':
    main()
