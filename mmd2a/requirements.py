"""What must be importable before anything of this package is.

mmcv is shipped by several distributions of one module (mmcv, mmcv-lite and
forks), so it cannot be declared by name and is checked here. Nothing is
imported: looking for the files and their metadata is enough and quick.
"""

import re
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

INSTALL = (
    '`bash tools/install.sh bare` in a checkout sets up the whole'
    ' verified stack; or install it by hand: '
)


@dataclass(frozen=True)
class Requirement:
    """A module, the versions that work and the command that installs it.

    Args:
        install: command that installs a fitting version.
        at_least: first version that works, where one is known.
        distributions: names under which the module is shipped, by default
            that of the module.
    """

    install: str
    at_least: str = '0'
    distributions: tuple[str, ...] = ()


MMCV_DISTRIBUTIONS = ('mmcv', 'mmcv-lite', 'mmcv-full', 'onedl-mmcv')
REQUIRED = {
    'torch': Requirement('pip install torch==2.13.0', '2.6'),
    'numpy': Requirement('pip install "numpy>=2,<2.3"', '1.26'),
    'mmengine': Requirement(
        'pip install mmengine==0.10.7',
        '0.10.3',
        ('mmengine', 'mmengine-lite', 'onedl-mmengine'),
    ),
    'mmcv': Requirement(
        'pip install mmcv-lite==2.1.0 (or mmcv with compiled ops)',
        '2.0.0',
        MMCV_DISTRIBUTIONS,
    ),
    'cv2': Requirement('pip install opencv-python'),
    'scipy': Requirement('pip install scipy'),
    'roma': Requirement('pip install roma'),
    'safetensors': Requirement('pip install safetensors'),
    'filelock': Requirement('pip install filelock'),
    'tqdm': Requirement('pip install tqdm'),
}


def check_requirements() -> None:
    """Raise a precise error for a missing or too old required module.

    Raises:
        ImportError: naming the module and the command that installs it.

    Example:
        >>> check_requirements()
    """
    for module, requirement in REQUIRED.items():
        if find_spec(module) is None:
            raise ImportError(
                f'mmd2a needs {module}, which is not installed. {INSTALL}'
                f'{requirement.install}'
            )
        # Two of them own the same files: all must fit.
        for name in requirement.distributions or (module,):
            found = installed_version(name)
            if found and _numbers(found) < _numbers(requirement.at_least):
                raise ImportError(
                    f'mmd2a needs {module} {requirement.at_least} or newer, '
                    f'found {name} {found}. {INSTALL}pip uninstall {name}; '
                    f'{requirement.install}'
                )


def mmcv_version() -> str | None:
    """Version of the installed mmcv, None where no metadata tells.

    Example:
        >>> mmcv_version().split('.')[0]
        '2'
    """
    versions = map(installed_version, MMCV_DISTRIBUTIONS)
    return next(filter(None, versions), None)


def installed_version(distribution: str) -> str | None:
    """Version of a distribution, None where no metadata tells.

    Example:
        >>> installed_version('mmengine-of-tomorrow') is None
        True
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """``'2.13.0rc1+cpu'`` -> (2, 13, 0): enough to tell too old."""
    release = re.match(r'\d+(\.\d+)*', version)
    return tuple(map(int, release[0].split('.'))) if release else ()
