"""What a body layer computes with, from the arrays of its file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmd2a.body_models import joint_sets
from mmd2a.body_models.body_file import BodyFileError, read_body_file
from mmd2a.body_models.embedded import load_embedded_body
from mmd2a.body_models.families import BodyFamily, check_gender, family_of
from mmd2a.body_models.locating import find_body_file, find_in_folder
from mmd2a.body_models.regressor_files import (
    REGRESSOR_FILES,
    read_regressor,
    regressor_fits,
)

__all__ = ['collect_regressors', 'layer_buffers', 'load_body']


def load_body(
    path: str | Path | None, model_type: str | None, gender: str
) -> tuple[dict[str, np.ndarray], str | None]:
    """Read the body that is asked for.

    Args:
        path: of the file; None: by ``model_type``, or the embedded one.
        model_type, gender: see :class:`~mmd2a.body_models.SMPLBodyModel`.

    Returns:
        Its arrays, see :func:`read_body_file`, and where they are from; None:
        the package.

    Raises:
        BodyFileError: there is no such file, or it is no body.
        ValueError: both a path and a model type, or an unknown one.
    """
    if path is None and model_type is None:
        return load_embedded_body(), None
    if model_type is None:
        assert path is not None
        found = find_body_file(path)
    else:
        if path is not None:
            raise ValueError(
                f'path={str(path)!r} and model_type={model_type!r} both name '
                'a body: give one of them'
            )
        check_gender(gender)
        family = family_of(model_type)
        found = find_body_file(f'{family.prefix}_{gender.upper()}.npz')
    return read_body_file(found), str(found)


def collect_regressors(
    arrays: Mapping[str, np.ndarray],
    family: BodyFamily,
    files: Mapping[str, str | Path],
    path: str | None,
) -> dict[str, np.ndarray]:
    """Collect the joint regressors of a body: joint set -> (J, V).

    Those of ``files`` come first, then those in the file of the body, then
    :data:`REGRESSOR_FILES` in ``$MMD2A_BODY_MODEL_DIR`` that are of as many
    vertices.

    Args:
        arrays: of the body.
        family: of the body.
        files: joint set -> file.
        path: of the body; None: the embedded one, which has all it needs.

    Raises:
        BodyFileError: a file of ``files`` is no regressor of this body.
    """
    num_vertices = len(arrays['v_template'])
    regressors = {family.joint_set: arrays['J_regressor']}
    for name in joint_sets.JOINT_SETS:
        if f'{name}_regressor' in arrays:
            regressors[name] = arrays[f'{name}_regressor']
    for name, file in files.items():
        regressors[name] = read_regressor(name, file, num_vertices)
    for name, names in REGRESSOR_FILES.items():
        for each in names if path is not None else ():
            found = find_in_folder(each)
            if name in regressors or found is None:
                continue
            if regressor_fits(name, found, num_vertices):
                regressors[name] = read_regressor(name, found, num_vertices)
    return regressors


def layer_buffers(
    arrays: Mapping[str, np.ndarray],
    regressors: Mapping[str, np.ndarray],
    numbers: tuple[int, int],
    num_pca_comps: int | None,
    flat_hand_mean: bool,
    path: str | None,
) -> dict[str, Tensor]:
    """Arrange arrays for the layer: floats in float32, coordinates in planes.

    V: vertices, J: joints, S, X: components used.

    Args:
        arrays: of the body.
        regressors: its regressors, the first that of its tree.
        numbers: S and X.
        num_pca_comps, flat_hand_mean: see
            :class:`~mmd2a.body_models.SMPLBodyModel`.
        path: of the body, for errors.

    Raises:
        BodyFileError: the body has fewer components.
    """
    template = arrays['v_template']
    regressor = next(iter(regressors.values())).astype(np.float64)
    # Coordinates as planes (3, V): the sums of skinning then run over
    # contiguous memory.
    buffers: dict[str, np.ndarray] = {
        'v_template': template,
        'faces': arrays['f'].astype(np.int64),
        'weights': arrays['weights'],
        'part_labels': arrays['part_labels'],
        '_template_planes': template.T.reshape(-1),
        '_pose_planes': _planes(arrays['posedirs']),
        '_joint_template': regressor @ template.astype(np.float64),
        **{f'_regressor_{name}': value for name, value in regressors.items()},
    }
    for kind, name, number in (
        ('shape', 'num_betas', numbers[0]),
        ('expression', 'num_expression_coeffs', numbers[1]),
    ):
        if kind == 'expression' and not number:
            continue
        available = arrays[f'{kind}dirs'].shape[2]
        if not 1 <= number <= available:
            raise BodyFileError(
                f'{name}={number}, but the body '
                f'{path or "that comes with the package"} has {available} '
                f'{kind} components'
            )
        directions = arrays[f'{kind}dirs'][:, :, :number]
        buffers[f'_{kind}_planes'] = _planes(directions)
        # J(beta) is affine in beta too; its products are formed in float64
        # once instead of in every call.
        buffers[f'_joint_{kind}dirs'] = np.einsum(
            'jv,vcs->sjc',
            regressor,
            directions.astype(np.float64),
            optimize=True,
        )
    buffers.update(_hands(arrays, num_pca_comps, flat_hand_mean, path))
    return {name: _tensor(value) for name, value in buffers.items()}


def _hands(
    arrays: Mapping[str, np.ndarray],
    num_pca_comps: int | None,
    flat: bool,
    path: str | None,
) -> dict[str, np.ndarray]:
    found = {}
    for side in ('left', 'right') if 'hands_meanl' in arrays else ():
        mean = arrays[f'hands_mean{side[0]}']
        found[f'{side}_hand_mean'] = np.zeros_like(mean) if flat else mean
        if num_pca_comps is None:
            continue
        components = arrays.get(
            f'hands_components{side[0]}', np.zeros((0, 45))
        )
        if not 1 <= num_pca_comps <= len(components):
            raise BodyFileError(
                f'num_pca_comps={num_pca_comps}, but the body {path} has '
                f'{len(components)} components of each hand'
            )
        found[f'{side}_hand_components'] = components[:num_pca_comps]
    return found


def _planes(directions: np.ndarray) -> np.ndarray:
    """(V, 3, N) to (N, 3 V)."""
    return directions.transpose(2, 1, 0).reshape(directions.shape[2], -1)


def _tensor(value: np.ndarray) -> Tensor:
    if value.dtype.kind == 'f':
        value = value.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(value))
