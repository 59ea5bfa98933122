"""Batches of MMHuman3D's datasets."""

from typing import Any

from mmd2a.registry import FUNCTIONS


@FUNCTIONS.register_module()
def mmhuman3d_collate(
    samples: list[dict[str, Any]], _scope_: str | None = None
) -> dict[str, Any]:
    """Put samples of an MMHuman3D dataset together to a batch.

    As MMHuman3D's data loader does for one process: tensors are stacked,
    ``img_metas`` becomes the list of what it is for each sample.

    Args:
        samples: outputs of a pipeline that ends with ``Collect``.
        _scope_: ignored; MMEngine passes it on from a config whose base is
            named ``mmd2a::folder/name.py``.

    Example:
        >>> train_dataloader = dict(
        ...     collate_fn=dict(type='mmd2a.mmhuman3d_collate'))
    """
    from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel import (
        collate,
        scatter,
    )

    batch = collate(samples, samples_per_gpu=len(samples))
    # To no GPU: the model's data preprocessor does that.
    return scatter(batch, [-1])[0]
