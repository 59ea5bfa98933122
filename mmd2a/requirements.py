"""What must be importable before anything of this package is.

mmcv is shipped by several distributions of one module (mmcv, mmcv-lite and
forks), so it cannot be declared by name and is checked here. Nothing is
imported: looking for the files is enough and keeps ``import mmd2a`` light.
"""
from importlib import metadata
from importlib.util import find_spec

INSTALL = ('`bash tools/install.sh` in a checkout sets up the whole verified'
           ' stack; or install it by hand: ')
REQUIRED = {
    'torch': 'pip install torch',
    'mmengine': 'pip install mmengine',
    'mmcv': 'pip install mmcv-lite==2.1.0 (or mmcv with compiled ops)',
}
MMCV_DISTRIBUTIONS = ('mmcv', 'mmcv-lite', 'mmcv-full', 'onedl-mmcv',
                      'onedl-mmcv-lite')


def check_requirements() -> None:
    """Raise a precise error for a missing or too old required module.

    Raises:
        ImportError: naming the module and the command that installs it.

    Example:
        >>> check_requirements()
    """
    for module, command in REQUIRED.items():
        if find_spec(module) is None:
            raise ImportError(
                f'mmd2a needs {module}, which is not installed. {INSTALL}'
                f'{command}')
    version = mmcv_version()
    if version is not None and int(version.split('.')[0]) < 2:
        raise ImportError(
            f'mmd2a needs mmcv 2.x, found {version}. {INSTALL}'
            f'pip uninstall mmcv mmcv-full; {REQUIRED["mmcv"]}')


def mmcv_version() -> str | None:
    """Version of the installed mmcv, None where no metadata tells.

    Example:
        >>> mmcv_version().split('.')[0]
        '2'
    """
    for name in MMCV_DISTRIBUTIONS:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None
