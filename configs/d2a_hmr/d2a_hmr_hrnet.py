# The main job in its family's folder: names such as
# `mmd2a::d2a_hmr/d2a_hmr_hrnet.py` need a folder.
_base_ = '../d2a_hmr_hrnet.py'
