"""From photographs, folders and videos to meshes, as MM's inferencers do."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray
from tqdm import tqdm

from mmd2a.apis.box_sources import BoxSource, boxes_from, detected_boxes
from mmd2a.apis.cameras import cameras_from
from mmd2a.apis.conversions import to_pose_data_sample
from mmd2a.apis.depth_sources import DepthSource, depths_from
from mmd2a.apis.errors import PICTURE_ERRORS, InputError, OnError, reported_to
from mmd2a.apis.people_files import write_people
from mmd2a.apis.people_pictures import draw_people
from mmd2a.apis.person_batches import Picture
from mmd2a.apis.person_mesh import PersonMesh, people_of
from mmd2a.apis.picture_sources import Frame, PictureSource
from mmd2a.apis.predictor import DEFAULT_MODEL, Predictor
from mmd2a.apis.video.results import Wanted, video_results
from mmd2a.apis.video.smoothing import Smoothing
from mmd2a.files import write_image

__all__ = ['MeshInferencer']

# Pictures of more pixels together are not held at once.
_PIXELS_AT_ONCE = 2**25


class MeshInferencer:
    """Recover the meshes of people in pictures, lazily and in batches.

    It is called as the inferencers of mmpose are, and its arguments are theirs
    where they mean the same.

    Args:
        model: name of weights that ship, or a config; see
            :func:`~mmd2a.apis.model_loading.load_model`.
        weights: checkpoint, with a config.
        device: where to run; None: the CPU.
        det_model: detector of mmdet that finds people where no boxes are
            given: its name or config. None: a picture is one person.
        det_weights: checkpoint of the detector.
        det_cat_ids: its categories that are people.
        parameters: also fit the parameters of the body.
        with_mask: also decode the silhouette.
        depth_kind: what depth maps are, see
            :func:`~mmd2a.depth.depth_of_kind`.
        show_progress: show a bar, on a terminal.
        smoothing: how people of a video are smoothed over time; None: every
            frame for itself.

    Example:
        >>> inferencer = MeshInferencer()
        >>> result = next(inferencer(
        ...     'docs/images/balancing.jpg', bboxes=[36.6, 60.7, 563.7, 758]))
        >>> [person] = result['predictions'][0]
        >>> person.vertices.shape, person.camera_source
        ((6907, 3), 'assumed')
    """

    def __init__(
        self,
        model: str | Config | Mapping[str, Any] = DEFAULT_MODEL,
        weights: str | None = None,
        device: str | None = None,
        det_model: str | None = None,
        det_weights: str | None = None,
        det_cat_ids: int | tuple[int, ...] = 0,
        parameters: bool = False,
        with_mask: bool = False,
        depth_kind: str = 'metric',
        show_progress: bool = False,
        smoothing: Smoothing | None = Smoothing(),
    ) -> None:
        self.predictor = Predictor(
            model,
            weights,
            device,
            depth_kind=depth_kind,
            parameters=parameters,
            with_mask=with_mask,
        )
        self.predictor.load()
        self.detector: BoxSource | None = None
        if det_model is not None:
            self.detector = detected_boxes(
                det_model, det_weights, det_cat_ids, device
            )
        self.show_progress = show_progress
        self.smoothing = smoothing

    @property
    def faces(self) -> NDArray[np.int64]:
        """(F, 3) vertex indices of every mesh."""
        return self.predictor.model.body_model.faces.cpu().numpy()

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the J joints."""
        return tuple(self.predictor.model.objective.joint_names)

    def __call__(
        self,
        inputs: Any,
        return_datasamples: bool = False,
        batch_size: int = 8,
        out_dir: str | None = None,
        bboxes: Any = None,
        bbox_thr: float = 0.3,
        K: Any = None,
        fov: float | None = None,
        depths: Any = None,
        return_vis: bool = False,
        draw_bbox: bool = False,
        vis_out_dir: str = '',
        pred_out_dir: str = '',
        on_error: OnError | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Recover the people of each picture, one picture after the other.

        What is wrong with the arguments is told here; pictures are read when
        the answers are taken.

        Args:
            inputs: path of a picture, folder or video, an address, arrays
                (H, W, 3) uint8 BGR, or a list; see
                :class:`~mmd2a.apis.picture_sources.PictureSource`.
            return_datasamples: answer by mmpose's ``PoseDataSample``.
            batch_size: people that go through the network together, and
                pictures that are held at once.
            out_dir: folder of ``visualizations`` and ``predictions``, where
                ``vis_out_dir`` and ``pred_out_dir`` are not given.
            bboxes: where people are, see
                :func:`~mmd2a.apis.box_sources.boxes_from`.
            bbox_thr: boxes of lower scores are left out.
            K: (3, 3) intrinsics of all pictures, pixels, or one per picture.
            fov: field of view across the longer side, degrees, where there is
                no K. None: one is assumed, and ``camera_source`` says so.
            depths: see :func:`~mmd2a.apis.depth_sources.depths_from`.
            return_vis: also return the pictures with the meshes on them.
            draw_bbox: draw boxes on these.
            vis_out_dir: folder for these pictures; of a video, a video.
            pred_out_dir: folder for ``STEM.json`` and ``STEM.npz`` of each
                picture, or of a whole video.
            on_error: called with the error of each picture that cannot be
                used, which is then left out. None: the error is raised, as
                it always is for a video.

        Yields:
            Per picture a dict: ``predictions``, a list that holds the list of
            its :class:`~mmd2a.apis.PersonMesh` (or one ``PoseDataSample``),
            ``visualization``, a list of (H, W, 3) uint8 RGB, empty unless
            asked for, and ``files``, what was written for it.

        Raises:
            UnusableFileError: a picture, video or file of boxes.
            BadSampleError: a box, camera or depth map.
            OSError: a result cannot be written.
        """
        if batch_size < 1:
            raise InputError(f'batch_size must be 1 or more, got {batch_size}')
        if out_dir is not None:
            vis_out_dir = vis_out_dir or f'{out_dir}/visualizations'
            pred_out_dir = pred_out_dir or f'{out_dir}/predictions'
        source = PictureSource(inputs)
        count, is_video = len(source), source.video is not None
        smoothing = self.smoothing
        if source.live:
            batch_size = 1
            smoothing = smoothing and replace(smoothing, lookahead=0)
        boxes = (
            self.detector
            if self.detector is not None and bboxes is None
            else boxes_from(bboxes, count, is_video)
        )
        on_error = None if is_video else on_error
        frames = _numbered(
            source,
            boxes,
            bbox_thr,
            cameras_from(K, count),
            fov,
            depths_from(depths, count, self.predictor.depth_kind),
            on_error,
        )
        return self._results(
            source,
            frames,
            count,
            batch_size,
            smoothing,
            Wanted(
                return_datasamples,
                return_vis,
                draw_bbox,
                vis_out_dir,
                pred_out_dir,
            ),
            on_error,
        )

    def _results(
        self,
        source: PictureSource,
        frames: Iterator[tuple[Frame, Picture, NDArray]],
        count: int,
        batch_size: int,
        smoothing: Smoothing | None,
        wanted: Wanted,
        on_error: OnError | None,
    ) -> Iterator[dict[str, Any]]:
        with tqdm(
            total=count or None, disable=None if self.show_progress else True
        ) as bar:
            predicted = self._predicted(frames, batch_size, on_error)
            if source.video is not None:
                yield from video_results(
                    source,
                    predicted,
                    smoothing,
                    self.faces,
                    self.predictor.model.body_model,
                    wanted,
                    bar.update,
                )
                return
            for frame, people in predicted:
                files: list[Path] = []
                drawn: Any = None
                if wanted.vis or wanted.vis_out_dir:
                    drawn = draw_people(
                        frame.image, people, self.faces, wanted.draw_bbox
                    )
                if wanted.vis_out_dir:
                    files.append(
                        Path(wanted.vis_out_dir, f'{frame.stem}_mesh.jpg')
                    )
                    write_image(files[-1], drawn)
                if wanted.pred_out_dir:
                    files += write_people(
                        wanted.pred_out_dir,
                        frame.stem,
                        people,
                        frame.path,
                        self.faces,
                    )
                bar.update()
                yield dict(
                    predictions=[
                        to_pose_data_sample(people, frame.path)
                        if wanted.data_samples
                        else people
                    ],
                    visualization=[drawn] if wanted.vis else [],
                    files=files,
                )

    def _predicted(
        self,
        frames: Iterator[tuple[Frame, Picture, NDArray]],
        batch_size: int,
        on_error: OnError | None,
    ) -> Iterator[tuple[Frame, list[PersonMesh]]]:
        for group in _groups(frames, batch_size):
            yield from self._predict(group, batch_size, on_error)

    def _predict(
        self,
        group: Sequence[tuple[Frame, Picture, NDArray]],
        batch_size: int,
        on_error: OnError | None,
    ) -> Iterator[tuple[Frame, list[PersonMesh]]]:
        """The people of some pictures, which share the network's batches."""
        pictures = [picture for _, picture, _ in group]
        try:
            answer = self.predictor.predict(pictures, batch_size)
        except PICTURE_ERRORS as error:
            if on_error is None:
                raise
            if len(group) == 1:
                on_error(error)
                return
            for each in group:  # One of them is to blame.
                yield from self._predict([each], batch_size, on_error)
            return
        for index, (frame, picture, scores) in enumerate(group):
            yield (
                frame,
                people_of(
                    answer,
                    index,
                    self.joint_names,
                    picture.camera.source,
                    (picture.image.shape[0], picture.image.shape[1]),
                    scores,
                ),
            )


def _numbered(
    source: PictureSource,
    boxes: BoxSource,
    bbox_thr: float,
    cameras: Any,
    fov: float | None,
    depth_of: DepthSource,
    on_error: OnError | None,
) -> Iterator[tuple[Frame, Picture, NDArray]]:
    """Every picture with its people and all that is known of it."""
    for index, frame in source.numbered(on_error):
        picture = None
        with reported_to(on_error):
            found = boxes(frame, index)
            found = found[found[:, 4] >= bbox_thr]
            picture = Picture.checked(
                frame.image,
                found[:, :4],
                cameras(index),
                fov,
                depth_of(frame, index),
                name=os.fspath(frame.path),
            )
        if picture is not None:
            yield frame, picture, found[:, 4]


def _groups(
    frames: Iterator[tuple[Frame, Picture, NDArray]], size: int
) -> Iterator[list[tuple[Frame, Picture, NDArray]]]:
    """Pictures together, as many as asked for and memory is for."""
    while group := list(islice(frames, 1)):
        pixels = group[0][0].image[..., 0].size
        while len(group) < size and pixels < _PIXELS_AT_ONCE:
            more = next(frames, None)
            if more is None:
                break
            group.append(more)
            pixels += more[0].image[..., 0].size
        yield group
