"""Synthetic people as a data set: made on demand, kept on disk.

A person comes from :mod:`mmd2a.people`; :mod:`.cache` keeps them in shards,
:mod:`.generation` makes those that are missing, :mod:`.dataset` reads them.
"""

from mmd2a.datasets.synthetic_people.cache import Cache
from mmd2a.datasets.synthetic_people.dataset import SyntheticPeople
from mmd2a.datasets.synthetic_people.generation import generate_people

__all__ = ['Cache', 'SyntheticPeople', 'generate_people']
