"""Models and their parts, one idea per file.

A part whose weights a config may initialise takes ``init_cfg`` and is an
MMEngine ``BaseModule``; every other part is a plain ``nn.Module`` and starts
itself. Widths: ``embed_dims`` is the width of the tokens that a part makes or
keeps, ``in_channels`` that of what it is given, ``depth_channels`` and
``skip_channels`` those of a second input, ``channels`` those inside.

A part is built by ``MODELS.build(cfg, default_args=...)``: what follows from
other parts is a default, what the config says wins, and None is off.
"""

from mmd2a.models.data_preprocessors import *  # noqa: F403
from mmd2a.models.decoders import *  # noqa: F403
from mmd2a.models.encoders import *  # noqa: F403
from mmd2a.models.estimators import *  # noqa: F403
from mmd2a.models.fields import *  # noqa: F403
from mmd2a.models.flows import *  # noqa: F403
from mmd2a.models.heads import *  # noqa: F403
from mmd2a.models.losses import *  # noqa: F403
from mmd2a.models.necks import *  # noqa: F403
from mmd2a.models.objectives import *  # noqa: F403
