"""Results of a video: who is who, smoothed, drawn and written."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mmd2a.apis.conversions import to_pose_data_sample
from mmd2a.apis.people_pictures import draw_people
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.apis.picture_sources import Frame, PictureSource
from mmd2a.apis.video.files import PeopleOfVideo, VideoFile
from mmd2a.apis.video.smoothing import Smoothing
from mmd2a.apis.video.streams import identify, smooth_stream
from mmd2a.apis.video.tracking import Tracker

__all__ = ['Wanted', 'video_results']


class Wanted(NamedTuple):
    """What is made of the people of a video.

    Attributes:
        data_samples: answer by mmpose's ``PoseDataSample``.
        vis: return pictures.
        draw_bbox: draw boxes on these.
        vis_out_dir: folder of the video with meshes, or ''.
        pred_out_dir: folder of JSON and npz, or ''.
    """

    data_samples: bool
    vis: bool
    draw_bbox: bool
    vis_out_dir: str
    pred_out_dir: str


def video_results(
    source: PictureSource,
    predicted: Iterator[tuple[Frame, list[PersonMesh]]],
    smoothing: Smoothing | None,
    faces: NDArray,
    body: Any,
    wanted: Wanted,
    update: Callable[[], Any],
) -> Iterator[dict[str, Any]]:
    """Go through a video once, or twice where pictures come later than people.

    Args:
        source: the video.
        predicted: its frames, one after the other, with their people.
        smoothing: how much people are smoothed; None: not at all.
        faces: (F, 3) vertex indices of the body.
        body: that parameters pose.
        wanted: what is made of it.
        update: is called after each frame.

    Yields:
        As :class:`~mmd2a.apis.MeshInferencer` does.
    """
    assert source.video is not None
    fps = source.fps
    draws = wanted.vis or bool(wanted.vis_out_dir)
    # Looking ahead, seconds of pictures would be held: they are read again.
    again = draws and smoothing is not None and smoothing.lookahead > 0
    held: deque[Frame] = deque()

    def people() -> Iterator[list[PersonMesh]]:
        for frame, found in predicted:
            if draws and not again:
                held.append(frame)
            yield found

    pictures = iter(source) if again else iter(held.popleft, None)
    gap = Smoothing().max_gap if smoothing is None else smoothing.max_gap
    stream = identify(people(), fps, Tracker(max_gap=gap))
    if smoothing is not None:
        stream = (
            _fitted(each, body)
            for each in smooth_stream(stream, fps, smoothing)
        )
    stem = Path(source.video).stem.replace(':', '_')
    with ExitStack() as stack:
        video = numbers = None
        if wanted.vis_out_dir:
            video = VideoFile(
                Path(wanted.vis_out_dir, f'{stem}_mesh.webm'), fps
            )
            stack.callback(video.discard)
        if wanted.pred_out_dir:
            numbers = PeopleOfVideo(
                wanted.pred_out_dir, stem, source.video, faces, fps
            )
            stack.callback(numbers.discard)
        for number, found in enumerate(stream):
            drawn: Any = None
            if draws:
                image = next(pictures).image
                drawn = draw_people(image, found, faces, wanted.draw_bbox)
            if video is not None:
                video.add(drawn)
            if numbers is not None:
                numbers.add(found, number)
            update()
            yield dict(
                predictions=[
                    to_pose_data_sample(found, source.video)
                    if wanted.data_samples
                    else found
                ],
                visualization=[drawn] if wanted.vis else [],
                files=[],
            )
        if video is not None:
            video.finish()
        if numbers is not None:
            numbers.finish()


def _fitted(people: Sequence[PersonMesh], body: Any) -> list[PersonMesh]:
    """Measure anew how far the posed body is from the mesh."""
    fitted = [person for person in people if person.smpl_transl is not None]
    if not fitted:
        return list(people)
    names = ('global_orient', 'body_pose', 'betas', 'smpl_transl')
    with torch.inference_mode():
        posed = body(
            *(
                torch.from_numpy(np.stack([getattr(p, name) for p in fitted]))
                for name in names
            )
        ).vertices.numpy()
    result = []
    for person, vertices in zip(fitted, posed):
        off = np.linalg.norm(
            vertices - person.vertices - person.transl, axis=1
        )
        result.append(replace(person, fit_residual=float(off.mean())))
    return result
