# The same model, judged from seven sides too: for testing what was trained
# with imphmr_hrnet.py. Degrees; training draws its angles at random.
_base_ = './imphmr_hrnet.py'

model = dict(views=[45, 90, 135, 180, 225, 270, 315])
test_evaluator = [
    _base_.test_evaluator,
    dict(type='mmd2a.ViewMetric', protocol='synthetic_h36m14'),
]
