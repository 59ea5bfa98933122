"""The point that a body turns about, for labels that move."""

from collections.abc import Mapping

import numpy as np
import torch

from mmd2a.body_models import build_body


class RestPelvis:
    """Pelvis of a body's rest pose, which differs from shape to shape.

    ``global_orient`` turns a body about it, and ``transl`` starts from it: a
    label ``transl`` can only be moved by who knows where it is.

    S: shape components. Metres.

    Args:
        body_model: config of the body; None: the body that comes with the
            package.

    Example:
        >>> RestPelvis()(dict(betas=np.zeros(10))).shape
        (3,)
    """

    def __init__(self, body_model: dict | None = None) -> None:
        body = build_body(body_model)
        # The rest pelvis is affine in the S shape coefficients: the mean
        # shape and one step along each say everything.
        betas = torch.cat(
            [torch.zeros(1, body.num_betas), torch.eye(body.num_betas)]
        )
        with torch.no_grad():
            pelvis = body(
                torch.zeros(len(betas), 3),
                torch.zeros(len(betas), 3 * body.num_body_joints),
                betas,
            ).joints[:, 0]
        array = pelvis.double().numpy()
        self._mean, self._directions = array[0], array[1:] - array[0]

    def __call__(self, labels: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the pelvis (3,) of labels, of their ``betas`` if any."""
        # Components that a label lacks are those of the mean shape.
        betas = labels.get('betas', np.zeros(0))[: len(self._directions)]
        return self._mean + betas @ self._directions[: len(betas)]
