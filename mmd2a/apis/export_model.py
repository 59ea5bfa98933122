"""A model as one file for other runtimes: ONNX, or torch.export."""

import io
import json
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from mmd2a.apis.errors import InputError
from mmd2a.apis.exported_mesh import DTYPES, ExportedMesh
from mmd2a.apis.fused_backbone import fuse_backbone
from mmd2a.apis.model_loading import load_model, names_config
from mmd2a.apis.person_batches import Cropper
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.files import write_bytes
from mmd2a.weights import find_weights

__all__ = ['FORMATS', 'METADATA', 'Exported', 'export_model']

#: Name of the JSON in the file: a property of ONNX, an extra file of torch.
METADATA = 'mmd2a.json'
FORMATS = ('onnx', 'torch')

_UNITS = (
    'metres, radians; vertices and keypoints3d relative to the root, OpenCV '
    'camera frame (x right, y down, z forward); keypoints2d in [-1, 1] over '
    'the crop; camera: weak perspective (s, tx, ty) of the crop'
)
# Metres by which a file in float32 may differ from the model it is made of.
_TOLERANCE = 1e-4
_BATCHES = (1, 3)


class Exported(NamedTuple):
    """What was written.

    Attributes:
        path: the file.
        difference: largest difference of any output to that of the model in
            float32, for batches of 1 and 3; None: nothing to run it with.
        metadata: what the file says of itself.
    """

    path: Path
    difference: float | None
    metadata: dict[str, Any]


def export_model(
    model: str | Config | Mapping[str, Any],
    path: str | Path,
    format: str = 'onnx',
    dtype: str = 'fp32',
    weights: str | None = None,
    with_mask: bool = False,
) -> Exported:
    """Write a model for another runtime, for batches of any size.

    The file is compared with the model before it is written. It holds its
    own description (:data:`METADATA`): how crops are made and normalised,
    names, units, faces of the mesh, licence.

    Args:
        model: as :func:`~mmd2a.apis.model_loading.load_model` takes it.
        path: file to write, ``.onnx`` or ``.pt2``.
        format: ``'onnx'`` or ``'torch'`` (``torch.export``).
        dtype: ``'fp32'``, or ``'fp16'`` or ``'bf16'`` for backbone and
            encoder; inputs and outputs are float32 always.
        weights: checkpoint, with a config.
        with_mask: also give the silhouette.

    Returns:
        The path, by how much the file differs, and what it says of itself.

    Raises:
        InputError: a format or type that is not known, packages that are not
            installed, or a file that would differ from its model.
        CheckpointError: no such weights, or not of this model.
        OSError: the file cannot be written.
    """
    if format not in FORMATS or dtype not in DTYPES:
        raise InputError(
            f'cannot export format={format!r}, dtype={dtype!r}: formats are '
            f'{", ".join(FORMATS)}, types {", ".join(DTYPES)}'
        )
    if format == 'onnx':
        _require('onnx', 'onnxscript')
    changes = dict(keep_mask=True) if with_mask else {}
    reference: Any
    cfg, reference = load_model(model, weights, **changes)
    _, changed = load_model(model, weights, **changes)
    cropper = Cropper(cfg, reference.objective.joint_set)
    size = _crop(cropper).size[0]
    plain, mesh = (
        ExportedMesh(each, size, kind, cropper.with_depth)
        for each, kind in (
            (reference.requires_grad_(False), torch.float32),
            (fuse_backbone(changed).requires_grad_(False), DTYPES[dtype]),
        )
    )
    metadata = _metadata(cfg, mesh, cropper, model, weights, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Of what no user can change.
        data, run = (_onnx if format == 'onnx' else _torch)(mesh, metadata)
    difference = None if run is None else _difference(plain, run)
    if dtype == 'fp32' and difference is not None:
        if not difference <= _TOLERANCE:
            raise InputError(
                f'the exported model differs from its model by '
                f'{difference:.1e}: report it, with what '
                '`mmd2a doctor` says'
            )
    write_bytes(path, data)
    return Exported(Path(path), difference, metadata)


Run = Callable[[tuple[Tensor, ...]], list[Any]]


def _program(mesh: ExportedMesh) -> torch.export.ExportedProgram:
    batch = torch.export.Dim('batch', min=1)
    with torch.no_grad():
        return torch.export.export(
            mesh,
            mesh.draw(2),
            dynamic_shapes=dict(
                inputs=tuple({0: batch} for _ in mesh.input_names)
            ),
        )


def _torch(
    mesh: ExportedMesh, metadata: dict[str, Any]
) -> tuple[bytes, Run | None]:
    program = _program(mesh)
    buffer = io.BytesIO()
    torch.export.save(
        program, buffer, extra_files={METADATA: json.dumps(metadata)}
    )
    module = program.module()
    return buffer.getvalue(), lambda inputs: list(module(*inputs))


def _onnx(
    mesh: ExportedMesh, metadata: dict[str, Any]
) -> tuple[bytes, Run | None]:
    program = torch.onnx.export(
        _program(mesh),
        dynamo=True,
        input_names=mesh.input_names,
        output_names=mesh.output_names,
        verbose=False,
    )
    assert program is not None
    proto = program.model_proto
    for key, value in ((METADATA, json.dumps(metadata)),):
        proto.metadata_props.add(key=key, value=value)
    data = proto.SerializeToString()
    if find_spec('onnxruntime') is None:
        return data, None
    import onnxruntime

    session = onnxruntime.InferenceSession(data)

    def run(inputs: tuple[Tensor, ...]) -> list[Any]:
        arrays = [value.numpy() for value in inputs]
        return session.run(None, dict(zip(mesh.input_names, arrays)))

    return data, run


def _difference(plain: ExportedMesh, run: Run) -> float:
    """Largest difference of any output; NaN is infinitely far."""
    largest = 0.0
    for batch in _BATCHES:
        inputs = plain.draw(batch)
        with torch.inference_mode():
            wanted = plain(*inputs)
        for one, other in zip(wanted, run(inputs), strict=True):
            off = np.abs(np.asarray(other) - one.numpy())
            largest = max(largest, float(np.nan_to_num(off, nan=np.inf).max()))
    return largest


def _metadata(
    cfg: Config,
    mesh: ExportedMesh,
    cropper: Cropper,
    model: Any,
    weights: str | None,
    dtype: str,
) -> dict[str, Any]:
    preprocessor = mesh.model.data_preprocessor
    crop = _crop(cropper)
    licence = 'not stated: that of the weights'
    try:
        name = weights if names_config(model) else model
        entry = find_weights(str(name).removeprefix('mmd2a::'))[0]
        name, licence = entry.address, entry.licence
    except CheckpointError:
        name = str(weights)
    return dict(
        weights=name,
        licence=licence,
        dtype=dtype,
        inputs=list(mesh.input_names),
        outputs=list(mesh.output_names),
        crop_size=list(crop.size),
        padding=crop.padding,
        color='RGB',
        mean=preprocessor.mean.flatten().tolist(),
        std=preprocessor.std.flatten().tolist(),
        units=_UNITS,
        joint_names=list(mesh.model.objective.joint_names),
        faces=mesh.model.body_model.faces.tolist(),
    )


def _crop(cropper: Cropper) -> Any:
    return dict(cropper.steps)['PersonCrop']


def _require(*packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise InputError(
            f'ONNX needs {" and ".join(missing)}: `pip install '
            'mmd2a[export]`, or export format torch'
        )
