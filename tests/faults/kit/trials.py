"""Which mutations are tried: few in every run, all in the slow one."""

from kit import array_mutations, checkpoint_mutations, text_mutations  # noqa: F401
from kit.mutations import KINDS, MUTATIONS, RANDOM, Mutation

SEEDS = 5
#: Mutations tried for every kind in every run.
_ALWAYS = ('bit flipped', 'cut short', 'empty', 'all zero', 'pickle', 'folder')
#: Of those that one kind has, every n-th is tried in every run.
_EVERY = 8


def mutation_of(kind: str, name: str) -> Mutation:
    """The mutation of a kind by its name."""
    return MUTATIONS[kind][name]


def all_trials() -> list[tuple[str, str, int]]:
    """Kind, mutation and seed of every trial."""
    return [
        (kind, name, seed)
        for kind in KINDS
        for name in MUTATIONS[kind]
        for seed in range(SEEDS if name in RANDOM else 1)
    ]


def fast_trials() -> list[tuple[str, str, int]]:
    """Those that are tried in every run."""
    chosen = []
    for kind in KINDS:
        own = [name for name in MUTATIONS[kind] if name not in _ALWAYS]
        chosen += [(kind, name, 0) for name in _ALWAYS]
        chosen += [(kind, name, 0) for name in own[len(RANDOM) :: _EVERY]]
    return chosen
