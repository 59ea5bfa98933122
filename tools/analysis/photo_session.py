"""A person before calibrated cameras: photographs with a 3-D reference.

The demo session of Pose2Sim 0.6.0 (BSD-3-Clause, D. Pagnon and others): four
cameras, 100 frames of one person balancing, 2-D joints by OpenPose
(BODY_25B). Three of the cameras agree with their calibration and give the
reference; facts and their measurement: docs/photos.md.
"""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

from mmd2a.body_models.joint_sets import joint_names
from mmd2a.cli.tool_config import UsageError
from mmd2a.files import write_bytes, write_image, write_json

WHEEL = 'pose2sim-0.6.0-py3-none-any.whl'
SHA256 = '5e588ec051c42a7be734fa5029c19be26207e35132cb3f0ba4d445f854313043'
SESSION = 'Pose2Sim/Demo/S00_Demo_Session'
TRIAL = f'{SESSION}/S00_P00_Participant/S00_P00_T01_BalancingTrial'
#: Camera 3 is off by a constant (31, 20) pixels.
CAMERAS = (1, 2, 4)
NUM_FRAMES = 100
JOINT_SET = 'h36m14'
#: Of BODY_25B. Neck and head are left out: the face is blurred in these
#: pictures, and OpenPose's neck is another point than that of LSP.
BODY_25B = dict(
    left_shoulder=5,
    right_shoulder=6,
    left_elbow=7,
    right_elbow=8,
    left_wrist=9,
    right_wrist=10,
    left_hip=11,
    right_hip=12,
    left_knee=13,
    right_knee=14,
    left_ankle=15,
    right_ankle=16,
)
LEAST_CONFIDENCE = 0.3
#: About 2 cm here.
MOST_RESIDUAL = 20.0

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in a room.

    Args:
        K: intrinsics (3, 3), pixels.
        R: rotation (3, 3), room -> OpenCV camera frame.
        t: translation (3,), metres, room -> camera.

    Example:
        >>> camera = Camera(np.diag([100., 100, 1]), np.eye(3), np.zeros(3))
        >>> camera.project(np.array([[1., 2, 4]]))
        array([[25., 50.]])
    """

    K: FloatArray
    R: FloatArray
    t: FloatArray

    def see(self, points: FloatArray) -> FloatArray:
        """Points (..., 3) of the room in the camera frame, metres."""
        return points @ self.R.T + self.t

    def project(self, points: FloatArray) -> FloatArray:
        """Points (..., 3) of the room in the picture (..., 2), pixels."""
        seen = self.see(points) @ self.K.T
        return seen[..., :2] / seen[..., 2:]


def read_calibration(text: bytes) -> list[Camera]:
    """Read cameras from a calibration of Qualisys (``.qca.txt``, XML).

    Their frame has y up and z backward; lengths are millimetres, focal length
    and centre 64ths of a pixel. Distortion is left out: here it moves the
    residuals of triangulated joints by 0.03 pixels.
    """
    cameras = []
    for element in ElementTree.fromstring(text).iter('camera'):
        pose, lens = (
            element.find(name).attrib  # type: ignore[union-attr]
            for name in ('transform', 'intrinsic')
        )
        R = np.array(
            [[float(pose[f'r{i}{j}']) for j in (1, 2, 3)] for i in (1, 2, 3)]
        )
        R = np.diag([1.0, -1, -1]) @ R
        centre = np.array([float(pose[axis]) for axis in 'xyz']) / 1000
        fx, fy, cx, cy = (
            float(lens[f'{name}{axis}']) / 64
            for name in ('focalLength', 'centerPoint')
            for axis in 'UV'
        )
        K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
        cameras.append(Camera(K, R, -R @ centre))
    return cameras


def triangulate(
    points: FloatArray, confidence: FloatArray, cameras: list[Camera]
) -> tuple[FloatArray, FloatArray]:
    """Find points from their places in several pictures.

    C: cameras, J: points. The direct linear transform with rows weighted by
    confidence (Hartley and Zisserman, 12.2), in pixels, so that an error
    counts the same in each picture.

    Args:
        points: (C, J, 2), pixels.
        confidence: (C, J); views of a point of at most
            :data:`LEAST_CONFIDENCE` do not count.
        cameras: C of them.

    Returns:
        Points (J, 3) of the room, metres, and the largest residual of each
        (J,) over the views that count, pixels; NaN with fewer than two views.
    """
    found = np.full((points.shape[1], 3), np.nan)
    residual = np.full(points.shape[1], np.nan)
    # (C, 3, 4), in units of a focal length.
    matrices = np.stack([c.K @ np.c_[c.R, c.t] / c.K[0, 0] for c in cameras])
    for j in range(points.shape[1]):
        used = confidence[:, j] > LEAST_CONFIDENCE
        if used.sum() < 2:
            continue
        rows = (
            points[used, j, :, None] * matrices[used, 2:]
            - (matrices[used, :2])
        )
        rows *= confidence[used, j, None, None]
        solution = np.linalg.svd(rows.reshape(-1, 4))[2][-1]
        found[j] = solution[:3] / solution[3]
        seen = np.stack([c.project(found[j]) for c in cameras])
        away = np.linalg.norm(seen - points[:, j], axis=-1)
        residual[j] = away[used].max()
    return found, residual


def box_of_joints(joints: FloatArray, size: tuple[int, int]) -> list[float]:
    """Box around a person, of the joints that were found.

    Grown by a twentieth of its longer side at each edge, for what is outside
    the joints (our choice), and cut at the edges of the picture.

    Args:
        joints: (J, 3), pixels and confidence.
        size: (height, width) of the picture.

    Returns:
        x1, y1, x2, y2, pixels.
    """
    seen = joints[joints[:, 2] > LEAST_CONFIDENCE, :2]
    low, high = seen.min(0), seen.max(0)
    margin = (high - low).max() / 20
    limit = np.array([size[1] - 1, size[0] - 1])
    low, high = np.clip([low - margin, high + margin], 0, limit)
    return [*low.tolist(), *high.tolist()]


def main_person(people: list[dict]) -> FloatArray:
    """Joints (25, 3) of the person whose limbs were found best."""
    joints = [
        np.reshape(np.asarray(p['pose_keypoints_2d'], float), (-1, 3))
        for p in people
    ]
    limbs = list(BODY_25B.values())
    return max(joints, key=lambda j: float(j[limbs, 2].sum()))


def check_wheel(path: Path) -> None:
    """Check that a file is the wheel that this module knows.

    Raises:
        UsageError: with the command that fetches it.
    """
    fetch = (
        f'python -m pip download --no-deps --dest {path.parent} '
        'pose2sim==0.6.0'
    )
    if not path.is_file():
        raise UsageError(
            f'there is no {path}: fetch it (23 MB, BSD-3-Clause) with `{fetch}'
            '`, or let this tool do so with --download'
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        raise UsageError(
            f'{path} is not the wheel of pose2sim 0.6.0 (sha256 {digest[:12]}'
            f'...): remove it and run `{fetch}`'
        )


def unpack(wheel: Path, folder: Path) -> list[Camera]:
    """Make a data set of the session: pictures and annotations.

    Writes ``cam01_000.jpg`` and so on and ``annotations.json`` for
    :class:`mmd2a.datasets.BodyDataset`, in the order of frames and cameras.
    What is there already is left as it is.

    Args:
        wheel: checked by :func:`check_wheel`.
        folder: to write to.

    Returns:
        The cameras used, in the order of :data:`CAMERAS`.
    """
    with zipfile.ZipFile(wheel) as archive:
        every = read_calibration(
            archive.read(f'{SESSION}/S00_Calibration/Calib.qca.txt')
        )
        cameras = [every[number - 1] for number in CAMERAS]
        if not (folder / 'annotations.json').exists():
            sizes = [_pictures(archive, n, folder) for n in CAMERAS]
            entries = [
                entry
                for frame in range(NUM_FRAMES)
                for entry in _entries(archive, frame, cameras, sizes)
            ]
            write_json(
                folder / 'annotations.json',
                dict(
                    metainfo=dict(dataset='pose2sim 0.6.0, BalancingTrial'),
                    data_list=entries,
                ),
            )
    return cameras


def _pictures(
    archive: zipfile.ZipFile, number: int, folder: Path
) -> tuple[int, int]:
    """Write the frames of a camera; their (height, width)."""
    video = folder / f'cam0{number}.mp4'
    write_bytes(video, archive.read(f'{TRIAL}/videos/cam0{number}.mp4'))
    capture = cv2.VideoCapture(str(video))
    size = (0, 0)
    for frame in range(NUM_FRAMES):
        read, picture = capture.read()
        if not read:
            raise UsageError(
                f'{video} cannot be decoded beyond frame {frame}: the '
                'installed OpenCV lacks the codec (H.264)'
            )
        size = picture.shape[:2]
        write_image(
            folder / f'cam0{number}_{frame:03d}.jpg', picture[..., ::-1]
        )
    return size


def read_detections(wheel: Path) -> tuple[FloatArray, FloatArray]:
    """Joints as the detector found them, in the order of the annotations.

    N: pictures, J: joints of the joint set.

    Args:
        wheel: checked by :func:`check_wheel`.

    Returns:
        Pixels (N, J, 2), and confidence (N, J), 0 where it is at most
        :data:`LEAST_CONFIDENCE` and for joints that it does not know.
    """
    known, columns = _shared_joints()
    with zipfile.ZipFile(wheel) as archive:
        joints = np.concatenate(
            [_found(archive, frame) for frame in range(NUM_FRAMES)]
        )
    pixels = np.zeros((len(joints), len(joint_names(JOINT_SET)), 2))
    confidence = np.zeros(pixels.shape[:2])
    pixels[:, known] = joints[:, columns, :2]
    found = joints[:, columns, 2].clip(0, 1)
    confidence[:, known] = np.where(found > LEAST_CONFIDENCE, found, 0)
    return pixels, confidence


def _shared_joints() -> tuple[list[int], list[int]]:
    """Joints of the joint set that BODY_25B has, and where it has them."""
    names = joint_names(JOINT_SET)
    known = [i for i, name in enumerate(names) if name in BODY_25B]
    return known, [BODY_25B[names[i]] for i in known]


def _found(archive: zipfile.ZipFile, frame: int) -> FloatArray:
    """Joints (C, 25, 3) of an instant: pixels and confidence."""
    return np.stack(
        [
            main_person(
                json.loads(
                    archive.read(
                        f'{TRIAL}/pose/cam0{n}_json/cam0{n}.{frame:04d}.json'
                    )
                )['people']
            )
            for n in CAMERAS
        ]
    )


def _entries(
    archive: zipfile.ZipFile,
    frame: int,
    cameras: list[Camera],
    sizes: list[tuple[int, int]],
) -> list[dict]:
    """Annotations of one instant, one per camera."""
    joints = _found(archive, frame)
    names = joint_names(JOINT_SET)
    known, columns = _shared_joints()
    limbs = joints[:, columns]
    points, residual = triangulate(limbs[..., :2], limbs[..., 2], cameras)
    good = residual <= MOST_RESIDUAL  # False for NaN
    weight = np.zeros(len(names))
    weight[known] = good
    entries = []
    for camera, number, of_camera, size in zip(
        cameras, CAMERAS, joints, sizes
    ):
        keypoints3d = np.zeros((len(names), 3))
        keypoints2d = np.zeros((len(names), 2))
        keypoints3d[known] = np.where(good[:, None], camera.see(points), 0)
        keypoints2d[known] = np.where(good[:, None], camera.project(points), 0)
        entries.append(
            dict(
                img_path=f'cam0{number}_{frame:03d}.jpg',
                bbox=box_of_joints(of_camera, size),
                joint_set=JOINT_SET,
                K=camera.K,
                keypoints3d=keypoints3d,
                keypoints3d_weight=weight,
                keypoints2d=keypoints2d,
                keypoints2d_weight=weight,
            )
        )
    return entries
