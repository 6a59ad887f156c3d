"""Builds the package as setuptools does, with the licences of the repository laid beside it first."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (  # noqa: F401  (asked for by whoever builds)
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

HERE = Path(__file__).parent
LICENCES = ("LICENSE-APACHE", "LICENSE-MIT")

Settings = Mapping[str, Any]


def build_sdist(directory: str, settings: Settings | None = None) -> str:
    _lay_licences()
    return str(build_meta.build_sdist(directory, settings))


def build_wheel(directory: str, settings: Settings | None = None, metadata: str | None = None) -> str:
    _lay_licences()
    return str(build_meta.build_wheel(directory, settings, metadata))


def build_editable(directory: str, settings: Settings | None = None, metadata: str | None = None) -> str:
    _lay_licences()
    return str(build_meta.build_editable(directory, settings, metadata))


def prepare_metadata_for_build_wheel(directory: str, settings: Settings | None = None) -> str:
    # What is told here of the licences is what the wheel is given.
    _lay_licences()
    return str(build_meta.prepare_metadata_for_build_wheel(directory, settings))


def prepare_metadata_for_build_editable(directory: str, settings: Settings | None = None) -> str:
    _lay_licences()
    return str(build_meta.prepare_metadata_for_build_editable(directory, settings))


def _lay_licences() -> None:
    # A source distribution has them already, and no repository around it.
    for name in LICENCES:
        source = HERE.parent.parent / name
        if not (HERE / name).exists():
            shutil.copyfile(source, HERE / name)
