"""MMEngine's writing through this package's atomic writer."""

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from mmd2a.files import write_bytes

ATOMIC_BACKEND = 'mmd2a_atomic'
_FIX = (
    'Free some space or make the folder writable, or choose another with '
    '--work-dir, then continue with --resume auto'
)


@register_backend(ATOMIC_BACKEND)
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local backend with :func:`mmd2a.files.write_bytes` below.

    Named in ``backend_args``, it makes whatever MMEngine writes through its
    file backends atomic.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        write_bytes(filepath, obj, _FIX)

    def put_text(
        self, obj: str, filepath: str | Path, encoding: str = 'utf-8'
    ) -> None:
        write_bytes(filepath, obj.encode(encoding), _FIX)
