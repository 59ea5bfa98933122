"""Old places of modules and names: for one release, an error that helps.

One finder, asked after all others: what is found where it is looked for costs
nothing.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ['MOVED', 'activate']


def _rows(old: str, new: str, *names: str) -> dict[str, str]:
    """Rows of names that went from one module or package to another."""
    return {f'{old}.{name}': f'{new}.{name}' for name in names}


# {what was importable in 0.1.0: where it is, or what to do instead}. A module,
# and each name that a package does not give away any more, has a row.
MOVED = {
    'mmd2a.collect_env': 'mmd2a.cli.doctor',
    **_rows('mmd2a.engine', 'mmd2a.cli', 'launch', 'tool_config'),
    **_rows(
        'mmd2a.datasets.synthetic_people',
        'mmd2a.people',
        'angles',
        'collisions',
        'looks',
        'materials',
        'motion_files',
        'motions',
        'person',
        'poses',
        'rectangles',
        'renderer',
        'scene',
        'textures',
        'Person',
        'render_person',
    ),
    **_rows(
        'mmd2a.datasets.transforms',
        'mmd2a.mixing',
        'facing_label',
        'normalize_rgbd',
        'person_to_instance',
        'person_to_keypoints',
        'stack_depth',
        'FacingLabel',
        'NormalizeRGBD',
        'PersonToInstance',
        'PersonToKeypoints',
        'StackDepth',
    ),
    'mmd2a.interop.import_hooks': 'mmd2a.import_hooks',
    'mmd2a.depth.stacking': 'mmd2a.mixing.stacking',
    'mmd2a.visualization.image_files': 'mmd2a.files.images',
    **_rows(
        'mmd2a.depth', 'mmd2a.mixing.stacking', 'stack_depth', 'unstack_depth'
    ),
    **{
        f'mmd2a.geometry.{name}': 'mmd2a.geometry.CropCamera'
        for name in ('affine_points', 'crop_intrinsics', 'crop_rotation')
    },
    'mmd2a.models.backbones': 'mmd2a.mixing',
    'mmd2a.models.encoders.depth_cross_attention': 'mmd2a.models.encoders',
    'mmd2a.models.heads.mean_body': 'mmd2a.models.heads.mean_mesh',
    **_rows(
        'mmd2a.models.data_preprocessors',
        'mmd2a.mixing',
        'rgbd_data_preprocessor',
        'RGBDDataPreprocessor',
    ),
    **_rows(
        'mmd2a.models.heads',
        'mmd2a.mixing',
        'auxiliary_silhouette_head',
        'AuxiliarySilhouetteHead',
    ),
    **_rows(
        'mmd2a.models.losses',
        'mmd2a.mixing',
        'keypoint_rle_loss',
        'KeypointRLELoss',
    ),
    **_rows(
        'mmd2a.interop.mmhuman3d',
        'mmd2a.interop.mmhuman3d.importing',
        'absent_libraries',
        'finder',
        'mmcv1',
        'pickling',
        'pytest_plugin',
        'pytorch3d',
        'registry',
        'scoped_import',
    ),
    **_rows(
        'mmd2a.interop.mmhuman3d',
        'mmd2a.interop.mmhuman3d.settings',
        'data_settings',
        'learning_rates',
        'optimizer_settings',
        'run_settings',
        'translation',
    ),
    **_rows(
        'mmd2a.interop.mmhuman3d',
        'mmd2a.interop.mmhuman3d.running',
        'collate',
        'dataset',
        'distributed',
        'estimator',
        'metric',
        'missing_files',
        'optimizers',
    ),
    **_rows(
        'mmd2a.interop.mmhuman3d',
        'mmd2a.interop.mmhuman3d.d2a',
        'd2a_estimator',
    ),
    'mmd2a.interop.mmhuman3d.components': (
        'mmd2a.interop.mmhuman3d.registered_parts'
    ),
    'mmd2a.interop.mmhuman3d.footprint': (
        'mmd2a.interop.mmhuman3d.importing.package_changes'
    ),
    'mmd2a.interop.mmhuman3d.image_companions': (
        'mmd2a.interop.mmhuman3d.d2a.depth_and_masks'
    ),
    'mmd2a.interop.mmhuman3d.without_gpu': (
        'mmd2a.interop.mmhuman3d.importing.torch_without_gpu'
    ),
    'mmd2a.interop.mmhuman3d.stand_ins': (
        'run tools/data/make_mmhuman3d_stand_ins.py'
    ),
}


class _MovedFinder(MetaPathFinder):
    """Refuses what has moved; finds nothing."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        new = MOVED.get(fullname)
        if new is None:
            return None
        advice = f'to {new}' if new.startswith('mmd2a.') else f'away: {new}'
        # Not a ModuleNotFoundError: Python drops that one silently in
        # `from package import name`.
        raise ImportError(f'{fullname} has moved {advice}', name=fullname)


def activate() -> None:
    """Refuse old places of this package's modules by naming the new ones.

    May be called any number of times.

    Example:
        >>> activate()
        >>> from mmd2a.engine import launch
        Traceback (most recent call last):
        ImportError: mmd2a.engine.launch has moved to mmd2a.cli.launch
    """
    if not any(type(f).__name__ == '_MovedFinder' for f in sys.meta_path):
        sys.meta_path.append(_MovedFinder())
