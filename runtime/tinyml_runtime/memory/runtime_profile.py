"""What an arena is exact for: a build of TFLM, and the core that its kernels were compiled for."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyml_runtime.memory.abi import Abi


@dataclass(frozen=True, slots=True)
class RuntimeProfile:
    """The structures (`abi`), and what kernels find on the core.

    `extensions` are those that change what kernels ask of the arena: "dsp" and "mve" of Arm's
    cores, "esp32s3" and "esp32p4" for those chips. `core` is the core's name, if one was named.
    """

    abi: Abi
    extensions: frozenset[str] = field(default=frozenset())
    core: str | None = None
