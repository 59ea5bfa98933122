"""HumanData, MMHuman3D's annotation files, as a store that is quick to read.

An npz is read once, safely, into one memory-mapped file per column; from
there any record comes at once, and all processes share one copy.
"""

from mmd2a.datasets.human_data.dataset import HumanDataDataset
from mmd2a.datasets.human_data.store import HumanDataStore, open_human_data

__all__ = ['HumanDataDataset', 'HumanDataStore', 'open_human_data']
