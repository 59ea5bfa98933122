"""Datasets of MMHuman3D by their settings."""

from typing import Any

from torch.utils.data import Dataset

from mmd2a.interop.mmhuman3d.running.missing_files import naming_the_fix
from mmd2a.registry import DATASETS


@DATASETS.register_module()
def mmhuman3d_dataset(
    dataset: dict | list[dict], test_mode: bool | None = None
) -> Dataset:
    """Build a dataset as MMHuman3D does.

    Unlike ``type='mmhuman3d.HumanImageDataset'``, which works too, this takes
    the settings as a config of MMHuman3D has them: a list of datasets to put
    together, names without a scope.

    Args:
        dataset: settings of one or several datasets.
        test_mode: what to tell datasets that do not say it themselves.

    Raises:
        FileNotFoundError: a file that a dataset reads is missing.
        ValueError: a file is broken.

    Example:
        >>> val_dataloader = dict(dataset=dict(
        ...     type='mmd2a.mmhuman3d_dataset', test_mode=True,
        ...     dataset=dict(type='HumanImageDataset')))
    """
    from mmhuman3d.data.datasets import build_dataset

    defaults: dict[str, Any] = (
        {} if test_mode is None else dict(test_mode=test_mode)
    )
    with naming_the_fix('data'):
        return build_dataset(dataset, defaults)
