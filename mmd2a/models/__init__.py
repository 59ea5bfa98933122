"""Models and their parts, one idea per file."""

from mmd2a.models.data_preprocessors import *  # noqa: F403
from mmd2a.models.decoders import *  # noqa: F403
from mmd2a.models.encoders import *  # noqa: F403
from mmd2a.models.estimators import *  # noqa: F403
from mmd2a.models.flows import *  # noqa: F403
from mmd2a.models.heads import *  # noqa: F403
from mmd2a.models.losses import *  # noqa: F403
from mmd2a.models.necks import *  # noqa: F403
from mmd2a.models.objectives import *  # noqa: F403
