"""Extend the bridge to a package of your own, by an import.

    custom_imports = dict(
        imports=['mmd2a.interop.mmhuman3d.extended_to.my_project.models'])

in a config imports ``my_project.models`` with ``mmcv`` as MMHuman3D sees it:
any name below this one is that of a module of yours. It is the same as calling
:func:`~mmd2a.interop.mmhuman3d.extend_to` before the import, and happens in
every process that reads the config.
"""

from mmd2a.interop.mmhuman3d.importing.finder import activate

# A package whose modules are found by the bridge's finder, in no folder.
__path__: list[str] = []
activate()
