"""The command line: how tools read configs, start runs and tell mistakes."""
