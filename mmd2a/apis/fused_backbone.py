"""A backbone whose normalisations are part of its convolutions."""

from typing import Any

from mmcv.cnn import fuse_conv_bn

__all__ = ['fuse_backbone']


def fuse_backbone(model: Any) -> Any:
    r"""Put the batch normalisations of a backbone into its convolutions.

    In evaluation a normalisation is a fixed scale and shift per channel:

    .. math:: \gamma \frac{W x + b - \mu}{\sqrt{v + \epsilon}} + \beta
              = W' x + b'

    so that a pass over every feature map is saved. Results differ by
    rounding. The parts behind the backbone have few, and stay as they are.

    Args:
        model: an estimator, in evaluation mode; changed in place. It cannot
            be trained, nor take a checkpoint, any more.

    Returns:
        The model.

    Raises:
        ValueError: it is in training mode.

    Example:
        >>> from mmd2a.apis import get_model
        >>> model = fuse_backbone(get_model('mmd2a::d2a_hmr_mobilenet-v2'))
        >>> any('BatchNorm' in type(m).__name__
        ...     for m in model.backbone.modules())
        False
    """
    if model.training:
        raise ValueError(
            'the model is in training mode, in which normalisations follow '
            'the batch: call model.eval() first'
        )
    model.backbone = fuse_conv_bn(model.backbone)
    return model
