"""Tests of the package against the real sidecar: `python3 -m unittest` in the directory above this one."""
