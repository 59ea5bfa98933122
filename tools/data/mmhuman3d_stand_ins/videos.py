"""Annotations for models of videos (VIBE): poses in time, features, no images.

N: frames of all videos, T: frames of a video.
"""

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from mmhuman3d_stand_ins.body import StandInBody
from mmhuman3d_stand_ins.human_data import (
    People,
    body_labels,
    human_data_bytes,
)

__all__ = ['FRAMES_PER_VIDEO', 'video_annotations']

#: T: a clip of VIBE's 16 frames, and some that are left over.
FRAMES_PER_VIDEO = 24
_FEATURE_CHANNELS = 2048


def video_annotations(
    people: People,
    body: StandInBody,
    config: str,
    num_videos: int,
    with_smpl: bool,
) -> bytes:
    """Make videos in which a person goes from one pose to another.

    The frames are not drawn. The features that VIBE reads from SPIN's
    backbone are a fixed random projection of the pose here: they hold what is
    to be learned from them, and nothing else.

    Args:
        people: two of them lend their poses to each video.
        body: their body.
        config: name of the data set.
        num_videos: how many videos.
        with_smpl: whether SMPL parameters are among the labels.

    Returns:
        bytes: npz of HumanData.
    """
    frames = _joined(
        [_one_video(people, video) for video in range(num_videos)]
    )
    labels = ['keypoints2d', 'keypoints3d', *(['smpl'] * with_smpl)]
    size = float(people.image_size)
    box = np.tile([0.0, 0.0, size, size, 1.0], (len(frames.betas), 1))
    known: dict[str, Any] = dict(
        image_path=list(frames.image_path),
        bbox_xywh=box,
        config=config,
        features=_features(frames),
    )
    if with_smpl:
        known['meta'] = dict(gender=np.array(['m'] * len(frames.betas)))
    return human_data_bytes({**known, **body_labels(frames, body, labels)})


def _joined(videos: list[People]) -> People:
    """The frames of all videos, one after the other."""
    arrays = {
        name: np.concatenate([getattr(video, name) for video in videos])
        for name in People._fields
        if name not in ('image_path', 'image_size')
    }
    return People(
        sum((video.image_path for video in videos), []),
        videos[0].image_size,
        **arrays,
    )


def _one_video(people: People, video: int) -> People:
    number = len(people.betas)
    first, last = video % number, (video * 7 + 3) % number
    ends = np.concatenate([people.global_orient, people.body_pose], 1)[
        [first, last]
    ].reshape(2, 24, 3)
    time = np.linspace(0, 1, FRAMES_PER_VIDEO)
    poses = np.stack(
        [
            Slerp([0, 1], Rotation.from_rotvec(ends[:, j]))(time).as_rotvec()
            for j in range(24)
        ],
        1,
    ).reshape(-1, 72)

    def every_frame(value: np.ndarray) -> np.ndarray:
        return np.repeat(value[first : first + 1], FRAMES_PER_VIDEO, 0)

    names = [f'video_{video:04d}/{i:06d}.jpg' for i in range(FRAMES_PER_VIDEO)]
    return People(
        names,
        people.image_size,
        every_frame(people.bbox),
        every_frame(people.K),
        poses[:, :3],
        poses[:, 3:],
        every_frame(people.betas),
        every_frame(people.transl),
    )


def _features(frames: People) -> np.ndarray:
    pose = np.concatenate([frames.global_orient, frames.body_pose], 1)
    matrices = Rotation.from_rotvec(pose.reshape(-1, 3)).as_matrix()
    known = np.concatenate([matrices.reshape(len(pose), -1), frames.betas], 1)
    mixing = np.random.default_rng(0).normal(
        size=(known.shape[1], _FEATURE_CHANNELS)
    ) / np.sqrt(known.shape[1])
    return np.maximum(known @ mixing, 0).astype(np.float32)
