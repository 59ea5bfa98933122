"""A moving body as binary glTF: skeleton, skin and animation."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from mmd2a.apis.result_files.checks import check_colors, check_suffix
from mmd2a.apis.result_files.glb_file import GREY
from mmd2a.apis.result_files.gltf import (
    GLTFDocument,
    linear_colors,
    plain_material,
    unit_normals,
)
from mmd2a.apis.result_files.motion import Motion, check_motion
from mmd2a.apis.result_files.pose_morphs import find_pose_morphs
from mmd2a.apis.result_files.skinning import (
    joint_motions,
    skin_vertices,
    strongest_influences,
)
from mmd2a.body_models import SMPL_PARENTS, SMPLBodyModel, joint_names
from mmd2a.files import write_bytes

__all__ = ['write_skinned_glb']

_FRAMES_AT_ONCE = 32
_Morphs = tuple[NDArray[np.float32], NDArray[np.float32]]


def write_skinned_glb(
    path: str | Path,
    body: SMPLBodyModel,
    global_orient: ArrayLike | Tensor,
    body_pose: ArrayLike | Tensor,
    betas: ArrayLike | Tensor,
    transl: ArrayLike | Tensor | None = None,
    fps: float = 30.0,
    colors: ArrayLike | None = None,
    morph_tolerance: float | None = None,
    max_influences: int = 8,
    pose_format: str = 'axis_angle',
) -> float:
    r"""Write a body and its motion as binary glTF.

    The file holds the rest mesh of ``betas``, the 24 joints as a tree of
    nodes, their weights, and one animation with a rotation of every joint and
    a place of the root per frame. It is in metres with +y up and +z towards
    the viewer (:func:`opencv_to_y_up`); the nodes themselves rest (y up,
    facing +z), for retargeting.

    Skinning in glTF has no pose blend shapes :math:`P`. Without
    ``morph_tolerance`` joints are exact, and the skin lacks what they correct:
    millimetres, and centimetres where joints bend far. With it the
    displacements of *this* motion are added as morph targets, as few as
    needed, and the skin is right in every frame.

    T: frames, V: vertices, S: shape components.

    Args:
        path: ``.glb`` file; its folder is made if needed.
        body: the body.
        global_orient: (T, 3) axis-angle, radians, OpenCV camera frame; or
            (T, 1, 3, 3) matrices.
        body_pose: (T, 69), or (T, 23, 3, 3).
        betas: (S,): a skeleton has one shape.
        transl: (T, 3) metres, OpenCV camera frame; None: zero.
        fps: frames in a second; frame t is at t / fps.
        colors: RGB (V, 3) in sRGB, see :func:`write_glb`; None: grey.
        morph_tolerance: metres that the morph targets may leave; None: no
            morph targets.
        max_influences: joints per vertex. 8: a second set of four is written
            if some vertex needs it; 4: never, for engines that read one set.
        pose_format: ``'axis_angle'`` or ``'matrix'``.

    Returns:
        The residual: how far the farthest vertex of the file is from the
        body's own in any frame, metres.

    Raises:
        ValueError: another suffix, a wrong shape, numbers that are not
            finite.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'wave.glb')
        >>> residual = write_skinned_glb(
        ...     path, SMPLBodyModel(), torch.zeros(2, 3),
        ...     torch.linspace(-1, 1, 138).view(2, 69), torch.zeros(10),
        ...     morph_tolerance=1e-4)
        >>> residual < 2e-4
        True

    Khronos, "glTF 2.0 specification", sections 3.7.3 and 3.11.
    """
    check_suffix(path, '.glb')
    motion = check_motion(
        body, global_orient, body_pose, betas, transl, fps, pose_format
    )
    influences = strongest_influences(
        body.weights.cpu().numpy(), max_influences
    )
    morphs = (
        (np.zeros((0, body.num_vertices, 3), '<f4'), np.zeros((0, 0), '<f4'))
        if morph_tolerance is None
        else find_pose_morphs(motion, morph_tolerance)
    )
    document = GLTFDocument()
    shades = None
    if colors is not None:
        shades = check_colors(colors, body.num_vertices)
    _add_mesh(document, motion, influences, morphs[0], shades)
    _add_skeleton(document, motion)
    _add_animation(document, motion, morphs[1])
    write_bytes(path, document.to_bytes())
    return _residual(motion, influences, morphs)


def _add_mesh(
    document: GLTFDocument,
    motion: Motion,
    influences: tuple[NDArray, NDArray],
    targets: NDArray,
    colors: NDArray | None,
) -> None:
    """Add the rest mesh with its weights and morph targets."""
    faces = motion.body.faces.cpu().numpy()
    attributes = dict(
        POSITION=motion.rest_vertices.astype('<f4'),
        NORMAL=unit_normals(motion.rest_vertices, faces),
    )
    if colors is not None:
        attributes['COLOR_0'] = linear_colors(colors)
    joints, weights = influences
    for number in range(joints.shape[1] // 4):
        four = slice(4 * number, 4 * number + 4)
        attributes[f'JOINTS_{number}'] = joints[:, four]
        attributes[f'WEIGHTS_{number}'] = weights[:, four]
    primitive: dict[str, Any] = dict(
        attributes=document.add_attributes(**attributes),
        indices=document.add_faces(faces),
        material=0,
    )
    mesh: dict[str, Any] = dict(name='skin', primitives=[primitive])
    if len(targets):
        primitive['targets'] = [
            document.add_attributes(POSITION=target) for target in targets
        ]
        mesh['weights'] = [0.0] * len(targets)
    base = GREY if colors is None else (1, 1, 1)
    document.content.update(meshes=[mesh], materials=[plain_material(base)])


def _add_skeleton(document: GLTFDocument, motion: Motion) -> None:
    """Add joints as nodes 0 to 23, the mesh as node 24, and the skin."""
    rest = motion.rest_joints
    nodes: list[dict[str, Any]] = []
    for joint, parent in enumerate(SMPL_PARENTS):
        offset = rest[joint] - (rest[parent] if joint else 0)
        nodes.append(
            dict(
                name=joint_names('smpl24')[joint], translation=offset.tolist()
            )
        )
        if joint:
            nodes[parent].setdefault('children', []).append(joint)
    nodes.append(dict(name='person', mesh=0, skin=0))
    inverse = np.tile(np.eye(4, dtype='<f4'), (len(rest), 1, 1))
    inverse[:, :3, 3] = -rest
    document.content.update(
        nodes=nodes,
        skins=[
            dict(
                joints=list(range(len(rest))),
                skeleton=0,
                inverseBindMatrices=document.add_array(inverse),
            )
        ],
        scenes=[dict(nodes=[0, len(rest)])],
        scene=0,
    )


def _add_animation(
    document: GLTFDocument, motion: Motion, amounts: NDArray
) -> None:
    """Add the rotations, the places of the root and the morph weights."""
    times = document.add_array(motion.times.astype('<f4'), bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def add(node: int, path: str, values: NDArray) -> None:
        output = document.add_array(values.astype('<f4'))
        channels.append(
            dict(sampler=len(samplers), target=dict(node=node, path=path))
        )
        samplers.append(
            dict(input=times, output=output, interpolation='LINEAR')
        )

    quaternions = _continuous_quaternions(motion.local_rotations)
    for joint in range(quaternions.shape[1]):
        add(joint, 'rotation', quaternions[:, joint])
    add(0, 'translation', motion.root_positions)
    if amounts.size:
        add(quaternions.shape[1], 'weights', amounts.reshape(-1))
    document.content['animations'] = [
        dict(name='motion', samplers=samplers, channels=channels)
    ]


def _continuous_quaternions(rotations: NDArray) -> NDArray[np.float64]:
    """Unit quaternions (T, J, 4), x y z w, each the nearer to the last."""
    quaternions = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_quat()
    quaternions = quaternions.reshape(*rotations.shape[:2], 4)
    # q and -q are one rotation, but what lies between two frames differs.
    cosine = (quaternions[1:] * quaternions[:-1]).sum(-1, keepdims=True)
    quaternions[1:] *= np.cumprod(np.where(cosine < 0, -1, 1), 0)
    return quaternions


def _residual(
    motion: Motion, influences: tuple[NDArray, NDArray], morphs: _Morphs
) -> float:
    """Pose the skin as a viewer does; return how far it is off, metres."""
    targets, amounts = (part.astype(np.float64) for part in morphs)
    turns, places = joint_motions(
        motion.local_rotations, motion.root_positions, motion.rest_joints
    )
    farthest = 0.0
    for start in range(0, len(motion), _FRAMES_AT_ONCE):
        frames = slice(start, start + _FRAMES_AT_ONCE)
        rest = motion.rest_vertices
        if len(targets):
            rest = rest + np.tensordot(amounts[frames], targets, 1)
        posed = skin_vertices(
            rest, influences, turns[frames], places[frames], motion.rest_joints
        )
        distance = np.linalg.norm(posed - motion.vertices(frames), axis=-1)
        farthest = max(farthest, float(distance.max()))
    return farthest
