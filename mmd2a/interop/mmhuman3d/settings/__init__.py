"""Settings of MMHuman3D's configs as those of MMEngine's runner."""
