"""What runs a model: a core, alone or on a board."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core, as far as memory depends on it.

    `extensions` are those for which kernel libraries have other code ("dsp", "mve", "esp32s3",
    "esp32p4"); `abi` is that of the usual GCC toolchain; `source` says where this is from.
    """

    name: str
    title: str
    isa: str
    abi: str
    extensions: frozenset[str]
    source: str


@dataclass(frozen=True, slots=True)
class Target:
    """A core with memory that never waits."""

    name: str
    core: Core
