# The front door: the small D2A-HMR of minutes. What can be changed in it is in
# the file named here and in its bases.
_base_ = 'd2a_hmr/d2a_hmr_hrnet.py'
