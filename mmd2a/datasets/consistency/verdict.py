"""What a check found."""

from typing import NamedTuple


class Finding(NamedTuple):
    """Result of one check.

    Attributes:
        name: what was compared.
        number: people who have what it takes; 0: nothing was compared.
        problem: what does not agree; None: all does.
        fix: how to mend it.
    """

    name: str
    number: int
    problem: str | None = None
    fix: str | None = None

    def __str__(self) -> str:
        if not self.number:
            return f'--       {self.name}: no labels to compare'
        if self.problem is None:
            return f'ok       {self.name} ({self.number} people)'
        return (
            f'SUSPECT  {self.name} ({self.number} people): {self.problem}. '
            f'To fix: {self.fix}'
        )
