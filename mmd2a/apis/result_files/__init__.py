"""Results as files that other programs open.

One function per format, all in metres or in the unit they name, all with +y
up but HumanData, which has OpenCV's camera frame as this package has. Every
file is written whole or not at all.
"""

from mmd2a.apis.result_files.bvh_file import write_bvh
from mmd2a.apis.result_files.frame import opencv_to_y_up
from mmd2a.apis.result_files.glb_file import write_glb
from mmd2a.apis.result_files.human_data import (
    export_human_data,
    write_human_data,
)
from mmd2a.apis.result_files.obj_file import write_obj
from mmd2a.apis.result_files.ply_file import write_ply
from mmd2a.apis.result_files.skinned_glb import write_skinned_glb

__all__ = [
    'export_human_data',
    'opencv_to_y_up',
    'write_bvh',
    'write_glb',
    'write_human_data',
    'write_obj',
    'write_ply',
    'write_skinned_glb',
]
