"""The data sample that flows from the pipeline to the metric."""

from mmengine.structures import BaseDataElement


class BodyDataSample(BaseDataElement):
    """One person in one crop: labels in ``gt``, results in ``pred``.

    J: joints of the sample's joint set, V: mesh vertices, K: coarse vertices,
    H, W: crop size in pixels. All float32. Metres, radians, OpenCV camera
    frame. "Crop coordinates" are normalised to [-1, 1] over the crop,
    ``x_n = (2 x + 1) / W - 1`` for pixel centres at integers.

    ``gt`` always holds every field below; what a data set does not know is
    zeros with weight 0, so samples with different labels share a batch.

    - ``global_orient`` (3,), ``body_pose`` (69,), ``betas`` (10,), ``transl``
      (3,): SMPL parameters, axis-angle; ``smpl_weight`` (). Of SMPL-H and
      SMPL-X ``body_pose`` is (63,), here and in ``pred``.
    - ``keypoints3d`` (J, 3) camera frame; ``keypoints3d_weight`` (J,).
    - ``keypoints2d`` (J, 2) crop coordinates; ``keypoints2d_weight`` (J,).
    - ``mask`` (1, H, W) in {0, 1}; ``mask_weight`` ().
    - ``K`` (3, 3): intrinsics of the crop, pixels.

    ``pred`` holds what the model gives:

    - ``vertices`` (V, 3), ``keypoints3d`` (J, 3): relative to the root of the
      joint set.
    - ``keypoints2d`` (J, 2) crop coordinates; ``camera`` (3,): weak
      perspective (s, tx, ty).
    - optional: ``keypoints2d_localized`` (J, 2), where a localizer found the
      joints; ``coarse_vertices`` (K, 3), ``sigma`` (V,) in metres,
      ``keypoints3d_sigma`` (J, 3) in metres or ``keypoints2d_sigma`` (J, 2),
      the standard deviation along each axis, and draws of those joints,
      ``keypoints3d_samples`` (S, J, 3) or ``keypoints2d_samples``; ``mask``
      (1, h, w) probability, ``global_orient`` (3,), ``body_pose`` (69,),
      ``betas`` (S,); with ``model.body_fitter`` always those, ``transl`` (3,)
      with which they pose ``vertices``, and ``fit_residual`` (): the mean
      distance that remains;
    - of ``model.views``, N angles from which ImpHMR imagines the person:
      ``views_yaw`` (N,) in radians, ``views_vertices`` (N, V, 3) and
      ``views_keypoints3d`` (N, J, 3) relative to the root, in the axes of the
      camera of that view, and ``views_mask`` (N, 1, h, w), probability.

    Metainfo: ``img_path``, ``sample_idx``, ``ori_shape``, ``img_shape``,
    ``crop_matrix`` (2, 3) full image -> crop, ``bbox`` (4,) xyxy, ``flip``,
    ``rotation``, ``joint_set``; ``keypoints2d_visibility`` (J,) where the data
    set knows it, as in COCO: 2 visible, 1 hidden, 0 not labelled;
    ``sequence`` and ``frame_number`` of people in videos.

    Example:
        >>> import torch
        >>> from mmengine.structures import BaseDataElement
        >>> sample = BodyDataSample(metainfo=dict(sample_idx=0))
        >>> sample.gt = BaseDataElement(betas=torch.zeros(10))
        >>> sample.gt.betas.shape
        torch.Size([10])
    """

    @property
    def gt(self) -> BaseDataElement:
        """Labels."""
        return self._gt

    @gt.setter
    def gt(self, value: BaseDataElement) -> None:
        self.set_field(value, '_gt', dtype=BaseDataElement)

    @gt.deleter
    def gt(self) -> None:
        del self._gt

    @property
    def pred(self) -> BaseDataElement:
        """Predictions."""
        return self._pred

    @pred.setter
    def pred(self, value: BaseDataElement) -> None:
        self.set_field(value, '_pred', dtype=BaseDataElement)

    @pred.deleter
    def pred(self) -> None:
        del self._pred
