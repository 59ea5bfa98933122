"""Pictures of the same few people after every validation."""

from collections.abc import Sequence

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from numpy.typing import NDArray
from torch import Tensor

from mmd2a.registry import HOOKS
from mmd2a.structures import BodyDataSample
from mmd2a.visualization.mesh_visualizer import MeshVisualizer

_Person = tuple[NDArray[np.uint8], BodyDataSample, Tensor | None]


@HOOKS.register_module()
class MeshVisualizationHook(Hook):
    """Record a sheet of predictions during validation and testing.

    The first ``max_images`` people of the data set are drawn, on the main
    process, once per validation: the cost does not grow with the data set (a
    tenth of a second per person), and successive sheets show how the same
    people are seen better.

    Args:
        interval: draw at every ``interval``-th validation.
        max_images: people per sheet.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1, max_images: int = 4) -> None:
        if interval < 1 or max_images < 1:
            raise ValueError(
                'interval and max_images must be at least 1, got '
                f'{interval} and {max_images}'
            )
        self.interval = interval
        self.max_images = max_images
        self._num_validations = 0
        self._people: list[_Person] = []

    def before_run(self, runner: Runner) -> None:
        """Draw the faces of the body that the model predicts."""
        if not isinstance(runner.visualizer, MeshVisualizer):
            raise TypeError(
                'MeshVisualizationHook needs a MeshVisualizer, not a '
                f'{type(runner.visualizer).__name__}: set '
                "`visualizer=dict(type='mmd2a.MeshVisualizer', vis_backends="
                "[dict(type='LocalVisBackend')])` in the config"
            )
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        if hasattr(model, 'body_model'):
            runner.visualizer.faces = model.body_model.faces.cpu()

    def before_val_epoch(self, runner: Runner) -> None:
        self._people = []

    def before_test_epoch(self, runner: Runner) -> None:
        self._people = []

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[BodyDataSample] | None = None,
    ) -> None:
        if self._num_validations % self.interval == 0:
            self._collect(data_batch, outputs)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[BodyDataSample] | None = None,
    ) -> None:
        self._collect(data_batch, outputs)

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        self._record(runner, 'val_people')
        self._num_validations += 1

    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        self._record(runner, 'test_people')

    def _collect(
        self, data_batch: dict | None, outputs: Sequence[BodyDataSample] | None
    ) -> None:
        """Keep people until there are enough."""
        if not is_main_process():
            return
        # The loops always hand both over; None is in MMEngine's signature.
        assert data_batch is not None and outputs is not None
        inputs = data_batch['inputs']
        for i, sample in enumerate(outputs):
            if len(self._people) == self.max_images:
                break
            image = inputs['img'][i].cpu().numpy()
            image = np.ascontiguousarray(image.transpose(1, 2, 0)[..., ::-1])
            depth = inputs['depth'][i].cpu() if 'depth' in inputs else None
            self._people.append((image, sample.cpu(), depth))

    def _record(self, runner: Runner, name: str) -> None:
        """Draw and forget the people."""
        if not self._people:
            return
        images, samples, depths = zip(*self._people)
        captions = [
            f'sample {sample.get("sample_idx", i)}'
            for i, sample in enumerate(samples)
        ]
        runner.visualizer.add_datasamples(
            name, images, samples, depths, captions, step=_iteration(runner)
        )
        self._people = []


def _iteration(runner: Runner) -> int:
    """Iterations trained; 0 in a test, which has no training.

    ``runner.iter`` would build the training set to tell.
    """
    loop = runner._train_loop
    return loop.iter if isinstance(loop, BaseLoop) else 0
