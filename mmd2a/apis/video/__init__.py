"""People over time: who is who, and meshes without jitter."""
