"""`python3 -m generator --write`: writes what follows from the contract into the package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .contract import write

PACKAGE = Path(__file__).parent.parent / "sexton_client"
CONTRACT = Path(__file__).parents[3] / "schema" / "openrpc.json"


def generated() -> dict[Path, str]:
    """The files as they should be, by their place."""
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))
    return {PACKAGE / name: text for name, text in write(contract).items()}


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python3 -m generator --write")
    for place, text in generated().items():
        place.write_text(text, encoding="utf-8")
