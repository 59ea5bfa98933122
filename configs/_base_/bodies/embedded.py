# The body that comes with the package. What is named here is the body of the
# model, the metric, the crops and the pictures: our tools enter it in each of
# them, and so does mmd2a.body_models.share_body in Python.
body_model = dict(type='mmd2a.SMPLBodyModel')
