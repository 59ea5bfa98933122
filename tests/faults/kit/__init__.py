"""A seeded fuzz over the files that the package reads.

:mod:`.kinds` makes a sound file of each kind and reads it as a user would,
:mod:`.mutations` and its kin spoil it, :mod:`.worker` does both in a process
of its own with bounded memory and time, and :mod:`.verdicts` says whether
what came of it is what a user deserves. :mod:`.trials` lists what is tried.
"""
