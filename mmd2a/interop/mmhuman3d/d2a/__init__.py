"""What D2A-HMR adds to MMHuman3D's own estimator."""
