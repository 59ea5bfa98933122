"""MMHuman3D's data sets, architectures and metrics in MMEngine's runner."""
