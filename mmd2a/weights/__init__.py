"""Weights that ship: small files with their papers, found by name.

The index says of every file what it is: digest, licence, what it was trained
on and how, the numbers it reaches. ``mmd2a://NAME`` is its address wherever a
checkpoint is accepted; nothing is downloaded.
"""

from mmd2a.weights.index import (
    SCHEME,
    WEIGHTS_FOLDER,
    WeightsEntry,
    find_weights,
    read_index,
)
from mmd2a.weights.reading import read_weights

__all__ = [
    'SCHEME',
    'WEIGHTS_FOLDER',
    'WeightsEntry',
    'find_weights',
    'read_index',
    'read_weights',
]
