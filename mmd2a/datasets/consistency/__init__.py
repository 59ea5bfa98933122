"""Whether the labels of people agree with each other.

Labels of one person tell of one body: what is in 3-D lies on what is in 2-D,
limbs are as long as limbs are, left is left of what faces away, joints are in
the box and on the mask. Where they disagree, the usual mistakes are tried, and
the one that makes them agree is named.
"""

from mmd2a.datasets.consistency.check import Finding, check_labels
from mmd2a.datasets.consistency.people import LabelledPerson, labelled_person

__all__ = ['Finding', 'LabelledPerson', 'check_labels', 'labelled_person']
