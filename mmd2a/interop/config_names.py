"""Let MMEngine find configs by name, ``mmd2a::folder/name.py``.

MMEngine knows by a table, ``MODULE2PACKAGE``, whose configs may be named so;
a package that is not in it is refused. Ours is added: one entry, and the only
thing in another package that importing this one changes. Nothing else that
reads the table takes notice.

The table says under which name to ask for the folder of a package. MMEngine
asks the metadata of the distribution of that name, and where there is none
the module of that name. The metadata of an editable install tell a folder
that does not exist, so we give the name of a module.
"""

from types import ModuleType

from mmd2a.import_hooks import when_imported

PACKAGE = 'mmd2a'
# Any module directly below the package would do.
MODULE = 'mmd2a.registry'
_TABLE = 'mmengine.config.utils'


def _enter(table: ModuleType) -> None:
    table.MODULE2PACKAGE.setdefault(PACKAGE, MODULE)


def activate() -> None:
    """Enter this package in MMEngine's table of config names.

    Where MMEngine has not been imported, it is done when that happens.

    Example:
        >>> from mmengine.hub import get_config
        >>> activate()
        >>> cfg = get_config('mmd2a::d2a_hmr/d2a_hmr_hrnet-w48.py')
        >>> cfg.model.patch_embedding.in_channels
        [48, 96, 192, 384]
    """
    when_imported(_TABLE, _enter)


def describe() -> str:
    """Say whether MMEngine knows the configs of this package by name."""
    from mmengine.config.utils import MODULE2PACKAGE

    if MODULE2PACKAGE.get(PACKAGE) == MODULE:
        return (
            'active: MMEngine finds configs as mmd2a::folder/name.py '
            '(one entry in its MODULE2PACKAGE)'
        )
    if PACKAGE in MODULE2PACKAGE:
        return 'inert: MMEngine knows this package by itself'
    return 'not active'
