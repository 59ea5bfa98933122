"""Free stand-ins for the licensed files that MMHuman3D's configs read.

:mod:`.anatomy` and :mod:`.body` make SMPL files of the embedded body,
:mod:`.priors` what is known of poses, :mod:`.human_data`, :mod:`.hybrik` and
:mod:`.videos` annotations of synthetic people, :mod:`.tree` all of it in one
folder.
"""

from mmhuman3d_stand_ins.tree import make_stand_ins

__all__ = ['make_stand_ins']
