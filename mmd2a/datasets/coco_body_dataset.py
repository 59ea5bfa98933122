"""People of a COCO json: keypoints and segmentations, 2-D only."""

import logging
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmd2a.body_models.joint_sets import joint_names
from mmd2a.datasets.body_dataset import BodyDataset
from mmd2a.datasets.coco_masks import encode_segmentation
from mmd2a.datasets.keypoint_metainfo import keypoint_metainfo
from mmd2a.files import UnusableFileError, read_json
from mmd2a.registry import DATASETS

_FIX = 'correct it, or export the annotations as COCO json again'
# The parts of COCO-WholeBody, in the order of its 133.
_PARTS = (
    'keypoints',
    'foot_kpts',
    'face_kpts',
    'lefthand_kpts',
    'righthand_kpts',
)


@DATASETS.register_module()
class CocoBodyDataset(BodyDataset):
    """People of a COCO json, as COCO has it and labelling tools write it.

    J: joints of the joint set.

    Entries are those of :class:`~mmd2a.datasets.BodyDataset`: ``img_path``,
    ``bbox``, ``keypoints2d`` (J, 2) with weight 1 where labelled and
    ``keypoints2d_visibility``, and ``mask_rle``, the segmentation, of which
    :class:`~mmd2a.datasets.transforms.LoadFrame` makes the mask. A person
    may have either or both; without a box it gets the one around them. Crowds,
    categories other than ``person`` (where the file names any) and people
    without a label or with an empty box are left out, and counted.

    Joints are found by their names, in any order, where the category has
    them (``categories[].keypoints``), by their number otherwise.

    Args:
        ann_file: COCO json, relative to ``data_root``.
        data_root: folder that relative paths start from.
        data_prefix: ``img_path``: folder of the pictures, and ``depth_path``:
            of depth maps.
        joint_set: joints of the labels; ``'coco133'`` reads COCO-WholeBody.
        depth_suffix: the depth map of ``a/b.jpg`` is ``a/b`` and this, such
            as ``'.npy'``; None: there are none.
        min_keypoints: people with fewer labelled joints are left out.
        **kwargs: see :class:`~mmd2a.datasets.BodyDataset`.

    Raises:
        UnusableFileError: the file is no COCO json, or an annotation cannot
            be used; the message names it.

    Example:
        >>> import json, tempfile
        >>> from pathlib import Path
        >>> folder = tempfile.mkdtemp()
        >>> person = dict(id=1, image_id=7, bbox=[10, 20, 30, 60],
        ...               keypoints=[12.0, 25.0, 2] * 17)
        >>> coco = dict(images=[dict(id=7, file_name='a.jpg')],
        ...             annotations=[person])
        >>> _ = Path(folder, 'labels.json').write_text(json.dumps(coco))
        >>> people = CocoBodyDataset('labels.json', folder)
        >>> people.get_data_info(0)['bbox'].tolist()
        [10.0, 20.0, 40.0, 80.0]

    Lin et al., "Microsoft COCO", ECCV 2014; https://cocodataset.org/#format-data
    """

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        data_prefix: dict | None = None,
        joint_set: str = 'coco17',
        depth_suffix: str | None = None,
        min_keypoints: int = 0,
        metainfo: dict | None = None,
        **kwargs,
    ) -> None:
        described = keypoint_metainfo(joint_set)
        self.joint_set = joint_set
        self.depth_suffix = depth_suffix
        self.min_keypoints = min_keypoints
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            metainfo=metainfo,
            **kwargs,
        )
        # MMEngine would take these strings for names of files.
        self._metainfo.update(
            dataset_type='coco_body', joint_set=joint_set, **described
        )

    def load_data_list(self) -> list[dict]:
        """Read and check the json."""
        if not self.ann_file:
            raise UnusableFileError(
                'ann_file is not given', fix='name a COCO json in ann_file'
            )
        content = read_json(self.ann_file, dict, allow_nan=True)
        for key in ('images', 'annotations'):
            if not isinstance(content.get(key), list):
                raise UnusableFileError(
                    f'the file is no COCO json: it has no list {key}',
                    self.ann_file,
                    _FIX,
                )
        try:
            images = {image['id']: image for image in content['images']}
            orders = self._orders(content.get('categories') or [])
        except (KeyError, TypeError, AttributeError) as error:
            raise UnusableFileError(
                f'an image or a category is damaged ({error!r})',
                self.ann_file,
                _FIX,
            ) from error
        people: list[dict] = []
        left_out: Counter[str] = Counter()
        for number, annotation in enumerate(content['annotations']):
            try:
                found = self._person(annotation, images, orders)
                if isinstance(found, str):
                    left_out[found] += 1
                else:
                    people.append(self._parse_checked(found))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                name = (
                    annotation.get('id', number)
                    if isinstance(annotation, dict)
                    else number
                )
                reason = (
                    f'it has no {error}'
                    if isinstance(error, KeyError)
                    else str(error)
                )
                raise UnusableFileError(
                    f'annotation {name} cannot be used: {reason}',
                    self.ann_file,
                    _FIX,
                ) from error
        self._tell(len(people), left_out)
        return people

    def _person(
        self, annotation: dict, images: dict, orders: dict | None
    ) -> dict[str, Any] | str:
        """The entry of an annotation, or why it is left out."""
        category = annotation.get('category_id')
        if orders and category not in orders:
            return 'of other categories'
        if annotation.get('iscrowd'):
            return 'crowds'
        if annotation['image_id'] not in images:
            raise ValueError(
                f'image_id {annotation["image_id"]!r} is none of the '
                f'{len(images)} images'
            )
        image = images[annotation['image_id']]
        entry: dict[str, Any] = dict(
            img_path=image['file_name'], joint_set=self.joint_set
        )
        points = self._points(annotation, (orders or {}).get(category))
        labelled = 0 if points is None else int((points[:, 2] > 0).sum())
        if labelled < self.min_keypoints:
            return f'with fewer than {self.min_keypoints} joints'
        if points is not None and labelled:
            entry.update(
                keypoints2d=points[:, :2],
                keypoints2d_weight=(points[:, 2] > 0).astype(np.float64),
                keypoints2d_visibility=points[:, 2],
            )
        if annotation.get('segmentation'):
            entry['mask_rle'] = encode_segmentation(
                annotation['segmentation'], image['height'], image['width']
            )
        if len(entry) == 2:
            return 'without labels'
        box = self._box(annotation, entry)
        if box is None:
            return 'with an empty box'
        entry['bbox'] = box
        if self.depth_suffix is not None:
            stem = PurePosixPath(image['file_name']).with_suffix('')
            entry['depth_path'] = f'{stem}{self.depth_suffix}'
        return entry

    def _points(
        self, annotation: dict, order: list[int] | None
    ) -> np.ndarray | None:
        """Joints (J, 3): pixels and COCO's flag."""
        parts = _PARTS if self.joint_set == 'coco133' else _PARTS[:1]
        flat = [n for part in parts for n in annotation.get(part) or []]
        if not flat:
            return None
        number = len(joint_names(self.joint_set)) if order is None else None
        try:
            points = np.asarray(flat, np.float64).reshape(-1, 3)
        except ValueError as error:
            raise ValueError(
                f'keypoints are {len(flat)} numbers, not x, y and a flag of '
                'each joint'
            ) from error
        if number not in (None, len(points)):
            raise ValueError(
                f'it has {len(points)} keypoints, {self.joint_set} has '
                f'{number}; give the joint_set of the file'
            )
        if not np.isin(points[:, 2], (0, 1, 2)).all():
            # Detectors write a confidence there.
            points[:, 2] = np.where(points[:, 2] > 0, 2, 0)
        if order is not None:
            if max(order) >= len(points):
                raise ValueError(
                    f'it has {len(points)} keypoints, fewer than its '
                    'category names'
                )
            known = np.array(order)[:, None] >= 0
            return np.where(known, points[order], 0.0)
        return points

    def _orders(self, categories: list[dict]) -> dict | None:
        """For each category of people, where each joint is in the file.

        None where the file does not say.
        """
        people = [
            c for c in categories if str(c.get('name')).lower() == 'person'
        ]
        # A file of one category is of people, whatever it calls them.
        if not people and len(categories) == 1:
            people = categories
        if categories and not people:
            raise UnusableFileError(
                'none of its categories is called person: '
                + ', '.join(str(c.get('name')) for c in categories[:8]),
                self.ann_file,
                "call the people's category person",
            )
        return {c['id']: self._order(c.get('keypoints')) for c in people}

    def _order(self, names: list[str] | None) -> list[int] | None:
        wanted = joint_names(self.joint_set)
        if not names or self.joint_set == 'coco133':
            return None
        plain = [
            str(name).strip().lower().replace(' ', '_').replace('-', '_')
            for name in names
        ]
        order = [plain.index(n) if n in plain else -1 for n in wanted]
        if max(order) < 0:
            raise UnusableFileError(
                f'its keypoints are called {", ".join(plain[:5])}, ..., and '
                f"joint_set='{self.joint_set}' has none of these; it has "
                f'{", ".join(wanted)}',
                self.ann_file,
                'give another joint_set, or rename categories[].keypoints',
            )
        return order

    def _box(self, annotation: dict, entry: dict) -> np.ndarray | None:
        """The box (4,) xyxy, or None where it holds nobody."""
        if annotation.get('bbox') is not None:
            box = np.asarray(annotation['bbox'], np.float64)
            if box.shape != (4,) or not np.isfinite(box).all():
                raise ValueError(
                    f'its bbox {annotation["bbox"]} is not x, y, width and '
                    'height'
                )
            box[2:] += box[:2]
        elif 'mask_rle' in entry:
            from pycocotools import mask

            box = mask.toBbox(entry['mask_rle'])
            box[2:] += box[:2]
        else:
            known = entry['keypoints2d'][entry['keypoints2d_weight'] > 0]
            low, high = known.min(0), known.max(0)
            # Joints are inside a person: a tenth of the size on every side.
            margin = 0.1 * (high - low).max()
            box = np.concatenate([low - margin, high + margin])
        return box if (box[2:] - box[:2] >= 1).all() else None

    def _tell(self, number: int, left_out: Counter[str]) -> None:
        if left_out:
            reasons = ', '.join(f'{n} {why}' for why, n in left_out.items())
            print_log(
                f'{self.ann_file}: {number} people; left out: {reasons}.',
                logger='current',
                level=logging.INFO,
            )
