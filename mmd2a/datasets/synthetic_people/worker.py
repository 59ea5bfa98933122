"""A process that makes shards: ``...worker CACHE_JSON SHARDS_JSON``.

Started by :mod:`.generation` as a plain program, so that it works from
notebooks, data loaders and scripts without a main guard alike. It writes one
dot for each person to its standard output; an error of the operating system
is its last line. When whoever started it is gone, its standard input ends,
and with it the worker.
"""

import json
import signal
import sys

import cv2
import torch

from mmd2a.datasets.synthetic_people.cache import Cache
from mmd2a.files import UnusableFileError


def main() -> int:
    """Make the shards named on the command line."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    # An exception, unlike a signal, removes what is half-written.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cache = Cache.from_json(sys.argv[1])

    def report() -> None:
        sys.stdout.write('.\n')
        sys.stdout.flush()

    try:
        made = cache.build_shards(json.loads(sys.argv[2]), report)
    except BrokenPipeError:
        return 1
    except UnusableFileError as error:
        sys.stdout.write(json.dumps(dict(unusable=str(error))) + '\n')
        return 1
    except OSError as error:
        sys.stdout.write(
            json.dumps(
                dict(
                    errno=error.errno,
                    strerror=error.strerror,
                    filename=str(error.filename),
                )
            )
            + '\n'
        )
        return 1
    sys.stdout.write(json.dumps(dict(made=made)) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
