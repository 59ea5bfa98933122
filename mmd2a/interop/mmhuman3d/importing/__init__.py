"""What MMHuman3D finds when it imports, and who finds MMHuman3D."""
