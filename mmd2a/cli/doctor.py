"""What a bug report needs to say about the environment.

python -m mmd2a.cli.doctor
"""

import sys
from importlib import metadata

from mmengine.utils.dl_utils import collect_env as collect_base_env

from mmd2a import __version__, interop
from mmd2a.requirements import MMCV_DISTRIBUTIONS

DISTRIBUTIONS = (
    'numpy',
    'scipy',
    'roma',
    'safetensors',
    *MMCV_DISTRIBUTIONS,
    'mmpose',
    'mmdet',
    'onedl-mmdetection',
    'mmpretrain',
    'onedl-mmpretrain',
    'mmhuman3d',
    'smplx',
    'xtcocotools',
    'setuptools',
)


def collect_env() -> dict[str, str]:
    """Describe machine, packages and what stands in for missing ones.

    Returns:
        dict: MMEngine's report, then the version of this package and of every
        neighbour that is installed, then :func:`mmd2a.interop.status`.

    Example:
        >>> env = collect_env()
        >>> 'PyTorch' in env, env['mmd2a'] == __version__
        (True, True)
    """
    env = {key: str(value) for key, value in collect_base_env().items()}
    env['mmd2a'] = __version__
    for name in DISTRIBUTIONS:
        try:
            env[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return env | {
        f'mmd2a.interop, {neighbour}': what
        for neighbour, what in interop.status().items()
    }


if __name__ == '__main__':
    sys.stdout.writelines(
        f'{key}: {value}\n' for key, value in collect_env().items()
    )
