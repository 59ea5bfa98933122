"""Where SMPL keeps nose, fingertips, toes ...: vertices by fixed numbers.

Software for SMPL reads some keypoints at vertices of fixed number. The
vertices of a stand-in body are put in an order in which these numbers fall on
the same anatomy.

V: vertices.
"""

import numpy as np
from scipy import sparse

__all__ = ['SMPL_VERTEX_NUMBERS', 'find_landmarks', 'smpl_vertex_order']

#: Landmark -> number of its vertex in the mesh of SMPL. ``head_top`` is a leaf
#: of HybrIK's skeleton, the others are keypoints 24 to 44 of ``smpl_45``, in
#: that order.
SMPL_VERTEX_NUMBERS: dict[str, int] = {
    'nose': 332,
    'right_eye': 6260,
    'left_eye': 2800,
    'right_ear': 4071,
    'left_ear': 583,
    'left_bigtoe': 3216,
    'left_smalltoe': 3226,
    'left_heel': 3387,
    'right_bigtoe': 6617,
    'right_smalltoe': 6624,
    'right_heel': 6787,
    'left_thumb': 2746,
    'left_index': 2319,
    'left_middle': 2445,
    'left_ring': 2556,
    'left_pinky': 2673,
    'right_thumb': 6191,
    'right_index': 5782,
    'right_middle': 5905,
    'right_ring': 6016,
    'right_pinky': 6133,
    'head_top': 411,
}

# Vertices this many edges away are compared to find the tips of a limb.
_NEIGHBOURHOOD = 4


def find_landmarks(body: dict[str, np.ndarray]) -> dict[str, int]:
    """Find the landmarks on a body in its rest pose, by their geometry.

    Args:
        body: arrays of the embedded body
            (:func:`~mmd2a.body_models.embedded.load_embedded_body`).

    Returns:
        dict[str, int]: vertex by landmark, all different.

    Example:
        >>> from mmd2a.body_models.embedded import load_embedded_body
        >>> body = load_embedded_body()
        >>> toe = find_landmarks(body)['left_bigtoe']
        >>> bool(body['v_template'][toe, 2] > .15)  # in front
        True
    """
    vertices = body['v_template'].astype(np.float64)
    joints = body['J_regressor'].astype(np.float64) @ vertices
    face = body['coco17_regressor'].astype(np.float64) @ vertices
    found = {
        'nose': _nearest(vertices, face[0]),
        'left_eye': _nearest(vertices, face[1]),
        'left_ear': _nearest(vertices, face[3]),
        'head_top': int(vertices[:, 1].argmax()),
    }

    # In the rest pose the palm looks down and the thumb to the front (+z).
    wrist = joints[20]
    tips = _tips(body, vertices[:, 0] > wrist[0], wrist, 5, 'left hand')
    fingers = sorted(tips, key=lambda i: -vertices[i, 2])
    for name, vertex in zip(
        ('thumb', 'index', 'middle', 'ring', 'pinky'), fingers
    ):
        found[f'left_{name}'] = vertex

    ankle = joints[7]
    foot = (vertices[:, 1] < ankle[1]) & (vertices[:, 0] > 0)
    toes = _tips(
        body, foot & (vertices[:, 2] > ankle[2]), ankle, 5, 'left foot'
    )
    found['left_bigtoe'] = min(toes, key=lambda i: vertices[i, 0])
    found['left_smalltoe'] = max(toes, key=lambda i: vertices[i, 0])
    found['left_heel'] = int(np.where(foot, vertices[:, 2], np.inf).argmin())

    mirror = body['mirror_vertices'].astype(np.int64)
    for name in [name for name in found if name.startswith('left_')]:
        found[name.replace('left_', 'right_')] = int(mirror[found[name]])
    return {name: found[name] for name in SMPL_VERTEX_NUMBERS}


def smpl_vertex_order(body: dict[str, np.ndarray]) -> np.ndarray:
    """Order (V,) that puts each landmark at its number in SMPL.

    ``body['v_template'][order]`` is the template of the stand-in. Only the
    landmarks and the vertices they change places with are moved.

    Example:
        >>> from mmd2a.body_models.embedded import load_embedded_body
        >>> body = load_embedded_body()
        >>> order = smpl_vertex_order(body)
        >>> body['v_template'][order][332].round(2)  # the nose
        array([0.  , 0.61, 0.17], dtype=float32)
    """
    order = np.arange(len(body['v_template']))
    for name, vertex in find_landmarks(body).items():
        number = SMPL_VERTEX_NUMBERS[name]
        place = int(np.flatnonzero(order == vertex)[0])
        order[[number, place]] = order[[place, number]]
    return order


def _nearest(vertices: np.ndarray, point: np.ndarray) -> int:
    return int(np.linalg.norm(vertices - point, axis=1).argmin())


def _tips(
    body: dict[str, np.ndarray],
    among: np.ndarray,
    root: np.ndarray,
    expected: int,
    limb: str,
) -> list[int]:
    """Vertices farther from ``root`` than all around them."""
    faces = body['f'].astype(np.int64)
    num_vertices = len(among)
    edges = np.concatenate(
        [faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]
    )
    near = sparse.coo_matrix(
        (np.ones(len(edges)), edges.T), shape=(num_vertices, num_vertices)
    ).tocsr()
    near = near + near.T + sparse.eye(num_vertices, format='csr')
    limb_vertices = np.flatnonzero(among)
    reach = near[limb_vertices]
    for _ in range(_NEIGHBOURHOOD - 1):
        reach = reach @ near
    distance = np.linalg.norm(body['v_template'] - root, axis=1)
    tips = [
        int(vertex)
        for row, vertex in enumerate(limb_vertices)
        if distance[vertex] >= distance[reach[row].indices].max()
    ]
    if len(tips) != expected:
        raise ValueError(
            f'the {limb} of this body has {len(tips)} tips '
            f'where {expected} were looked for; landmarks can '
            'be found on the embedded body only'
        )
    return tips
