"""The embedded body as MMHuman3D reads it: files and keypoints of SMPL.

N: people, V: vertices, J: keypoints of a convention.
"""

import numpy as np
import torch

from mmd2a.body_models import SMPLBodyModel
from mmd2a.body_models.embedded import load_embedded_body
from mmd2a.body_models.joint_sets import JOINT_SETS
from mmhuman3d_stand_ins.anatomy import (
    SMPL_VERTEX_NUMBERS,
    find_landmarks,
    smpl_vertex_order,
)

__all__ = ['StandInBody']

# Keypoints that MMHuman3D regresses from the surface, by its names. The first
# nine are those of SPIN's J_regressor_extra, in its order.
_EXTRA = (
    'right_hip_extra',
    'left_hip_extra',
    'neck_extra',
    'headtop',
    'pelvis_extra',
    'thorax_extra',
    'spine_extra',
    'jaw_extra',
    'head_extra',
)
_H36M = (
    'pelvis_extra',
    'left_hip_extra',
    'left_knee',
    'left_ankle',
    'right_hip_extra',
    'right_knee',
    'right_ankle',
    'spine_extra',
    'neck_extra',
    'head_extra',
    'headtop',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
)
# What they are here: the mean of these joints of ours.
_MADE_OF: dict[str, tuple[tuple[str, str], ...]] = {
    'right_hip_extra': (('h36m14', 'right_hip'),),
    'left_hip_extra': (('h36m14', 'left_hip'),),
    'neck_extra': (('h36m14', 'neck'),),
    'headtop': (('h36m14', 'head_top'),),
    'pelvis_extra': (('h36m14', 'right_hip'), ('h36m14', 'left_hip')),
    'thorax_extra': (
        ('h36m14', 'right_shoulder'),
        ('h36m14', 'left_shoulder'),
    ),
    'spine_extra': (('smpl24', 'spine2'),),
    'jaw_extra': (('h36m14', 'neck'), ('coco17', 'nose')),
    'head_extra': (('coco17', 'left_ear'), ('coco17', 'right_ear')),
}


class StandInBody:
    """The embedded body in the vertex order of SMPL's landmarks.

    Attributes:
        order: (V,) vertex of the embedded body at each place.
        extra_regressor: (9, V) as ``J_regressor_extra.npy``.
        h36m_regressor: (17, V) as ``J_regressor_h36m.npy``.

    Example:
        >>> body = StandInBody()
        >>> nobody = np.zeros((2, 82))
        >>> keypoints = body.keypoints(nobody[:, :3], nobody[:, 3:72],
        ...                            nobody[:, 72:])
        >>> {name: value.shape for name, value in keypoints.items()}
        {'smpl_54': (2, 54, 3), 'h36m': (2, 17, 3), 'hybrik_29': (2, 29, 3)}
    """

    def __init__(self) -> None:
        self._arrays = load_embedded_body()
        self._layer = SMPLBodyModel()
        self._landmarks = find_landmarks(self._arrays)
        self.order = smpl_vertex_order(self._arrays)
        self.extra_regressor = self._regressor(_EXTRA)
        self.h36m_regressor = self._regressor(_H36M)

    def smpl_file(self) -> dict[str, np.ndarray]:
        """Arrays of an SMPL file by their names there.

        Blend shapes stay in the half precision of the embedded body, which
        loses nothing and keeps the file small.
        """
        arrays, order = self._arrays, self.order
        # Vertex v of the embedded body is found at place[v].
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return dict(
            v_template=arrays['v_template'][order],
            shapedirs=arrays['shapedirs'][order].astype(np.float16),
            posedirs=arrays['posedirs'][order].astype(np.float16),
            J_regressor=arrays['J_regressor'][:, order],
            weights=arrays['weights'][order],
            kintree_table=arrays['kintree_table'].astype(np.int64),
            f=place[arrays['f'].astype(np.int64)].astype(np.uint32),
        )

    def keypoints(
        self,
        global_orient: np.ndarray,
        body_pose: np.ndarray,
        betas: np.ndarray,
        transl: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Keypoints of posed bodies in MMHuman3D's conventions.

        Args:
            global_orient: (N, 3) axis-angle.
            body_pose: (N, 69) axis-angle.
            betas: (N, 10).
            transl: (N, 3) metres; None: zero.

        Returns:
            dict[str, np.ndarray]: (N, J, 3) for ``smpl_54``, ``h36m`` and
            ``hybrik_29``, metres, in the frame that ``global_orient`` and
            ``transl`` lead to.
        """
        posed = []
        for start in range(0, len(betas), 64):
            part = slice(start, start + 64)
            arguments = [
                torch.from_numpy(np.asarray(value[part], np.float32))
                for value in (global_orient, body_pose, betas)
            ]
            if transl is not None:
                arguments.append(
                    torch.from_numpy(np.asarray(transl[part], np.float32))
                )
            with torch.no_grad():
                out = self._layer(*arguments)
            posed.append(
                (
                    out.joints.double().numpy(),
                    self._read_out(out.vertices.double().numpy()),
                )
            )
        joints = np.concatenate([joints for joints, _ in posed])
        surface = {
            name: np.concatenate([read[name] for _, read in posed])
            for name in ('landmarks', 'extra', 'h36m')
        }

        landmark = list(SMPL_VERTEX_NUMBERS).index
        leaves = [
            landmark(name)
            for name in (
                'head_top',
                'left_middle',
                'right_middle',
                'left_bigtoe',
                'right_bigtoe',
            )
        ]
        return {
            'smpl_54': np.concatenate(
                [joints, surface['landmarks'][:, :21], surface['extra']], 1
            ),
            'h36m': surface['h36m'],
            'hybrik_29': np.concatenate(
                [joints, surface['landmarks'][:, leaves]], 1
            ),
        }

    def _read_out(self, vertices: np.ndarray) -> dict[str, np.ndarray]:
        """Points on the surface: (N, V, 3), in the embedded body's order."""
        ordered = vertices[:, self.order]
        return {
            'landmarks': vertices[:, list(self._landmarks.values())],
            'extra': self.extra_regressor @ ordered,
            'h36m': self.h36m_regressor @ ordered,
        }

    def _regressor(self, names: tuple[str, ...]) -> np.ndarray:
        def row(joint_set: str, name: str) -> np.ndarray:
            key = (
                'J_regressor'
                if joint_set == 'smpl24'
                else f'{joint_set}_regressor'
            )
            return self._arrays[key][JOINT_SETS[joint_set].index(name)]

        return np.stack(
            [
                np.mean(
                    [
                        row(*joint)
                        for joint in _MADE_OF.get(name, (('h36m14', name),))
                    ],
                    axis=0,
                )
                for name in names
            ]
        )[:, self.order].astype(np.float64)
