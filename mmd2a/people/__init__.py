"""The generator of people: a seed becomes an image with every label.

The way of one person: :mod:`.poses` (what they do) and :mod:`.looks` (who
they are) -> :mod:`.scene` (where, seen and lit from where) ->
:mod:`.renderer` (images) -> :mod:`.person` (all of it, with labels).
:mod:`mmd2a.datasets.synthetic_people` keeps them on disk and reads them.
"""

from mmd2a.people.person import Person, render_person

__all__ = ['Person', 'render_person']
