"""What counts as an answer to a spoiled file.

Right are two ends: the value the file would have given had it not been
touched (or, where a format cannot notice a change, one of the same form), or
a clear refusal. A refusal is clear when

- the package raised it on purpose: the innermost frame of the traceback is in
  ``mmd2a``, and the class is one of ``ValueError``, ``OSError`` or an error
  class of the package (so no ``KeyError``, ``AttributeError``, ``IndexError``,
  ``TypeError`` or ``RuntimeError`` of whoever stumbled over the value);
- it names the file;
- it is one line of at most 1,000 characters, or the long help for a licensed
  body (at most 40 lines), and shows no insides of Python or torch;
- it says what to do, with a verb of :data:`MENDS`.
"""

import re
import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MAX_LINE = 1000
MAX_HELP_LINES = 40
MENDS = re.compile(
    r'\b(replace|save|convert|remove|correct|check|fetch|use|make|give|leave|'
    r'download|set|delete|write|name|to fix|needs?|must|did you mean)\b',
    re.IGNORECASE,
)
INSIDES = re.compile(
    r'Traceback|has no attribute|KeyError|IndexError|TypeError|'
    r'AttributeError|list index|object is not|invalid load key|'
    r'PytorchStreamReader|allow_pickle|not subscriptable|Errno'
)


def innermost_file(error: BaseException) -> str:
    """The file of the line that raised an error."""
    frames = traceback.extract_tb(error.__traceback__)
    return frames[-1].filename if frames else ''


def unclear(
    error: BaseException, names: Sequence[str], package: Path
) -> str | None:
    """Why an error is not a clear refusal; None: it is one.

    Args:
        error: what was raised.
        names: names of the file, one of which it has to have.
        package: the folder of the package.
    """
    # The tools leave out the number of the system.
    text = re.sub(r'^\[Errno \d+\] ', '', str(error))
    kind = type(error)
    whole = ''.join(traceback.format_exception(error)[-3:])
    shown = f'{kind.__name__}: {text[:400]} [{whole[-600:]}]'
    ours = kind.__module__.split('.')[0] == 'mmd2a'
    if not ours and not isinstance(error, (ValueError, OSError)):
        return f'an error of Python or a library: {shown}'
    if not Path(innermost_file(error)).is_relative_to(package):
        return f'not raised by the package: {shown}'
    if not any(name in text for name in names):
        return f'does not name the file: {shown}'
    lines = text.strip().splitlines()
    long_help = 'convert_smpl.py' in text and len(lines) <= MAX_HELP_LINES
    if not long_help and (len(lines) > 1 or len(text) > MAX_LINE):
        return f'{len(lines)} lines of {len(text)} characters: {shown}'
    if INSIDES.search(text):
        return f'shows the insides: {shown}'
    if not MENDS.search(text):
        return f'does not say what to do: {shown}'
    return None


def same(value: dict, reference: dict) -> bool:
    """Whether two readings are equal, NaN where the other has NaN."""
    return value.keys() == reference.keys() and all(
        np.array_equal(
            value[key],
            reference[key],
            equal_nan=reference[key].dtype.kind == 'f',
        )
        for key in reference
    )


def of_the_form(value: dict, reference: dict) -> bool:
    """Whether a reading could be another file's of the same kind."""
    return value.keys() == reference.keys() and all(
        value[key].shape == reference[key].shape
        # Texts differ in length.
        and value[key].dtype.kind == reference[key].dtype.kind
        and (
            value[key].dtype == reference[key].dtype
            or value[key].dtype.kind == 'U'
        )
        for key in reference
    )


def finite(value: dict) -> bool:
    """Whether all numbers but those of depth are finite."""
    return all(
        np.isfinite(array).all()
        for key, array in value.items()
        if array.dtype.kind == 'f' and not key.endswith('depth')
    )
