# The main job under its family's folder, for `mmd2a::d2a_hmr/d2a_hmr_hrnet.py`:
# names of this kind need a folder.
_base_ = '../d2a_hmr_hrnet.py'
