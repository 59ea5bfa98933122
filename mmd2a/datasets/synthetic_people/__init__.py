"""Synthetic people: rendered, fully labelled, free to use, made on demand.

The way of one person: :mod:`.poses` (what they do) and :mod:`.looks` (who
they are) -> :mod:`.scene` (where, seen and lit from where) ->
:mod:`.renderer` (images) -> :mod:`.person` (all of it, with labels) ->
:mod:`.cache` (on disk) -> :mod:`.dataset` (as a data set).
"""

from mmd2a.datasets.synthetic_people.cache import Cache
from mmd2a.datasets.synthetic_people.dataset import SyntheticPeople
from mmd2a.datasets.synthetic_people.generation import generate_people
from mmd2a.datasets.synthetic_people.person import Person, render_person

__all__ = [
    'Cache',
    'Person',
    'SyntheticPeople',
    'generate_people',
    'render_person',
]
