"""Send pictures of predicted meshes to MMEngine's visualisation backends."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import master_only
from mmengine.visualization import Visualizer
from numpy.typing import ArrayLike, NDArray

from mmd2a.body_models import build_body
from mmd2a.files import write_image
from mmd2a.registry import VISUALIZERS
from mmd2a.structures import BodyDataSample
from mmd2a.visualization.colors import sigma_limits
from mmd2a.visualization.sheet import ColorBar, draw_sheet
from mmd2a.visualization.tiles import SIGMA, TILE_NAMES, prediction_tiles


@VISUALIZERS.register_module()
class MeshVisualizer(Visualizer):
    """Draw predictions as rows of pictures, one row per person.

    Works on the main process only, as MMEngine's visualizers do.

    Args:
        name: of this instance.
        body_model: config of the body whose faces are drawn. A
            :class:`MeshVisualizationHook` overrides it with the model's own.
        tile: side of each picture, pixels.
        **kwargs: of ``mmengine.visualization.Visualizer``:
            ``vis_backends``, ``save_dir``.

    Example:
        ``visualizer = dict(type='mmd2a.MeshVisualizer', vis_backends=[
        dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])``
    """

    def __init__(
        self,
        name: str = 'visualizer',
        body_model: dict | None = None,
        tile: int = 224,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.tile = tile
        self._body_model = body_model
        self._faces: NDArray[np.integer] | None = None

    @property
    def faces(self) -> NDArray[np.integer]:
        """(F, 3) vertex indices of the body that is drawn."""
        if self._faces is None:
            self._faces = build_body(self._body_model).faces.cpu().numpy()
        return self._faces

    @faces.setter
    def faces(self, faces: ArrayLike) -> None:
        self._faces = np.asarray(faces)

    def draw(
        self,
        images: Sequence[NDArray[np.uint8]],
        data_samples: Sequence[BodyDataSample],
        depths: Sequence[ArrayLike | None] | None = None,
        captions: Sequence[str] | None = None,
    ) -> NDArray[np.uint8]:
        """Draw a sheet of several people, who share one colour bar.

        Args:
            images: per person, the crop (W, W, 3) uint8 RGB.
            data_samples: per person, a sample with ``pred``.
            depths: per person, (W, W) or (1, W, W), or None.
            captions: one text per person.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        if depths is None:
            depths = [None] * len(images)
        sigmas = [
            sample.pred.sigma.detach().cpu().float().numpy()
            for sample in data_samples
            if 'pred' in sample and 'sigma' in sample.pred
        ]
        limits = sigma_limits(sigmas) if sigmas else None
        rows = [
            prediction_tiles(
                sample, image, depth, self.faces, limits, self.tile
            )
            for image, sample, depth in zip(images, data_samples, depths)
        ]
        present = [
            name for name in TILE_NAMES if any(name in row for row in rows)
        ]
        bar = None if limits is None else ColorBar(limits)
        assert bar is None or present[-1] == SIGMA
        return draw_sheet(rows, present, captions, bar, self.tile)

    @master_only
    def add_datasample(
        self,
        name: str,
        image: NDArray[np.uint8],
        data_sample: BodyDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        step: int = 0,
        depth: ArrayLike | None = None,
        out_file: str | Path | None = None,
    ) -> None:
        """Record the row of one person; MMEngine's interface.

        Args:
            name: of the picture in the backends.
            image: the crop, (W, W, 3) uint8 RGB.
            data_sample: a sample with ``pred``. None, or no ``pred``: the
                image alone is recorded.
            draw_gt: unused: labels hold no mesh of their own.
            draw_pred: draw the prediction; if not, the image alone.
            show: open a window as well.
            wait_time: seconds to show it; 0 waits for a key.
            step: training step the picture belongs to.
            depth: (W, W) or (1, W, W), what the model was given.
            out_file: write the picture there instead of to the backends.
        """
        drawn = image
        if draw_pred and data_sample is not None and 'pred' in data_sample:
            drawn = self.draw([image], [data_sample], [depth])
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is not None:
            write_image(out_file, drawn)
        else:
            self.add_image(name, drawn, step)

    @master_only
    def add_datasamples(
        self,
        name: str,
        images: Sequence[NDArray[np.uint8]],
        data_samples: Sequence[BodyDataSample],
        depths: Sequence[ArrayLike | None] | None = None,
        captions: Sequence[str] | None = None,
        step: int = 0,
    ) -> None:
        """Record one sheet of several people; see :meth:`draw`."""
        sheet = self.draw(images, data_samples, depths, captions)
        self.add_image(name, sheet, step)
