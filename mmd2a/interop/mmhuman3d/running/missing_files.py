"""Say what to do when a file that MMHuman3D reads is not there."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager

from mmd2a.files.restricted_pickle import RefusedPickleError

_ADVICE = (
    'Configs of MMHuman3D read body models and data sets, most of them '
    'licensed, from data/ in the folder they are run in. Put yours there, or '
    'make free stand-ins: python tools/data/make_mmhuman3d_stand_ins.py --out '
    'data'
)


@contextmanager
def naming_the_fix(what: str) -> Iterator[None]:
    """Turn the error of a missing or broken file into one that helps.

    Args:
        what: setting of the config whose files are read.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is there, but is not what it should be.
        RefusedPickleError: a file would run code if it were read.

    Example:
        >>> with naming_the_fix('data.train'):
        ...     open('nowhere/people.npz')
        Traceback (most recent call last):
        FileNotFoundError: for `data.train` a file is missing: ...
    """
    try:
        yield
    except (FileNotFoundError, AssertionError) as error:
        # smplx asserts that a path exists.
        if isinstance(error, AssertionError) and 'exist' not in str(error):
            raise
        raise FileNotFoundError(
            f'for `{what}` a file is missing: {error}. {_ADVICE}'
        ) from error
    except RefusedPickleError as error:
        raise RefusedPickleError(
            f'for `{what}` a file cannot be read: {error}'
        ) from error
    except (pickle.UnpicklingError, EOFError) as error:
        raise ValueError(
            f'for `{what}` a file cannot be read, it is broken or of another '
            f'kind: {error}'
        ) from error
