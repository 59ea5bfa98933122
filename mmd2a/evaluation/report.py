"""How results are told: one line per protocol."""

from collections.abc import Mapping

from mmd2a.evaluation.protocols import Protocol

__all__ = ['describe', 'describe_views']


def describe(
    protocol: Protocol,
    regressors: Mapping[str, str],
    metrics: Mapping[str, float],
) -> str:
    """Put numbers and everything they depend on into one line.

    Args:
        protocol: what was measured.
        regressors: joint set -> hash of the regressor used.
        metrics: errors in mm by name, and counts ``num_samples``,
            ``num_meshes``, ``num_skipped``.

    Example:
        >>> from mmd2a.evaluation.protocols import get_protocol
        >>> counts = dict(num_samples=8, num_meshes=8, num_skipped=0)
        >>> line = describe(get_protocol('synthetic_h36m14'),
        ...                 {'h36m14': '0a1b2c3d'}, dict(MPJPE=80.5, **counts))
        >>> line.split(' [')[0]
        'synthetic_h36m14: MPJPE 80.50 mm, 8 samples (8 meshes, 0 skipped)'
    """
    errors = ', '.join(
        f'{name} {value:.2f}'
        for name, value in metrics.items()
        if not name.startswith('num_')
    )
    return (
        f'{protocol.name}: {errors} mm, {metrics["num_samples"]} samples '
        f'({metrics["num_meshes"]} meshes, {metrics["num_skipped"]} '
        f'skipped) {_conditions(protocol, regressors)}'
    )


def describe_views(
    protocol: Protocol,
    regressors: Mapping[str, str],
    views: Mapping[str, Mapping[str, float]],
    counts: Mapping[str, int],
) -> str:
    """Put numbers of views and everything they depend on into one line.

    Args:
        protocol: what was measured.
        regressors: joint set -> hash of the regressor used.
        views: name of a view -> its numbers by name, mm and shares.
        counts: ``num_samples``, ``num_silhouettes``, ``num_skipped``.

    Example:
        >>> from mmd2a.evaluation.protocols import get_protocol
        >>> counts = dict(num_samples=8, num_silhouettes=8, num_skipped=0)
        >>> line = describe_views(
        ...     get_protocol('synthetic_h36m14'), {'h36m14': '0a1b2c3d'},
        ...     {'090': {'MPJPE': 80.5, 'IoU': 0.71}}, counts)
        >>> line.split(', 8 samples')[0]
        'views of synthetic_h36m14: 090: MPJPE 80.50 mm, IoU 0.7100'
    """
    told = '; '.join(
        f'{view}: '
        + ', '.join(
            f'{name} {value:.4f}'
            if name.startswith('IoU')
            else f'{name} {value:.2f} mm'
            for name, value in numbers.items()
        )
        for view, numbers in views.items()
    )
    return (
        f'views of {protocol.name}: {told}, {counts["num_samples"]} samples '
        f'({counts["num_silhouettes"]} with silhouettes, '
        f'{counts["num_skipped"]} skipped) '
        f'{_conditions(protocol, regressors)}'
    )


def _conditions(protocol: Protocol, regressors: Mapping[str, str]) -> str:
    """What a number of a protocol depends on, in brackets."""
    root = protocol.root
    if not isinstance(root, str):
        root = '+'.join(root)
    used = ', '.join(f'{name} {digest}' for name, digest in regressors.items())
    return (
        f'[regressor {used}; root {root}; target '
        f'{protocol.target}; vertex alignment '
        f'{protocol.vertex_alignment}; {protocol.gender} bodies; frames: '
        f'{protocol.counted}]'
    )
