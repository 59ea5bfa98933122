# How the image enters ImpHMR's field: where a point projects (pixel), or
# pooled and the same for all points, in every layer (film) or in the first and
# after the skip (global).
_base_ = './imphmr.py'

title = "How the image enters ImpHMR's field"
rows = {
    '_delete_': True,
    **{
        way: {**_base_.rows['+ L_cons'], 'model.field.conditioning': way}
        for way in ('pixel', 'film', 'global')
    },
}
