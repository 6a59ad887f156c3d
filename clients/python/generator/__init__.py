"""Writes what follows from the contract: `python3 -m generator --write`."""
