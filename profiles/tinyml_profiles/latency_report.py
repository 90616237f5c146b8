"""What a profile found out: instructions, cycles and milliseconds, node by node and in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_profiles.cycles import Cycles
from tinyml_profiles.instructions import Instructions
from tinyml_profiles.target import Target

if TYPE_CHECKING:
    import pandas as pd

# The classes of a mix as scripts know them, and ours that belong to each.
MIX = {
    "load": ("load",),
    "store": ("store",),
    "mul": ("mul",),
    "mac": ("mac",),
    "div": ("div",),
    "alu": ("alu",),
    "branch": ("branch",),
    "fp": ("fp_load", "fp_store", "fp_alu", "fp_mul", "fp_mac", "fp_div"),
    "simd": ("simd_load", "simd_store", "simd_mac", "simd_other"),
}


@dataclass(frozen=True, slots=True)
class NodeLatency:
    """A node's price; what is not known is None. `share` is that of the known cycles.

    `bounds` are the fewest and the most instructions that there may be, as factors, where they were
    not counted for the compiler's optimisation. `is_pointwise` is for convolutions of one pixel.
    """

    subgraph: int
    index: int
    operator: str
    name: str
    macs: int
    instructions: Instructions | None
    cycles: Cycles | None
    latency_ms: float | None
    share: float | None
    evidence: str
    bounds: tuple[float, float] = (1.0, 1.0)
    is_pointwise: bool = False

    @property
    def mix(self) -> dict[str, float] | None:
        """Instructions by class, as scripts know the classes."""
        if self.instructions is None:
            return None
        return {name: self.instructions.of(*classes) for name, classes in MIX.items()}

    @property
    def cycles_per_mac(self) -> float | None:
        """Cycles for each product that is added up; None without any."""
        return None if self.cycles is None or not self.macs else self.cycles.total / self.macs


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over all nodes and the interpreter's own work; None where a part is not known.

    `latency_low_ms` to `latency_high_ms` is a 90 % interval.
    """

    macs: int
    instructions: float | None
    cycles: float | None
    latency_ms: float | None
    latency_low_ms: float | None
    latency_high_ms: float | None
    energy_uj: float | None


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """One model on one target with one kernel library, compiled with `opt` (O2 or Os).

    `loops_core` is the core whose measured loops were taken; `evidence` is the weakest that
    entered; `range_of` says what the range of the total is. `overhead_ms` is what the interpreter
    takes between the nodes.
    """

    target: Target
    library: str
    opt: str
    clock_hz: float
    loops_core: str | None
    evidence: str
    total: Total
    range_of: str | None
    overhead_ms: float
    nodes: Sequence[NodeLatency]
    notes: Sequence[str]

    def to_frame(self) -> pd.DataFrame:
        """The nodes as a table, a row each, the index being subgraph and node."""
        import pandas as pd

        rows = [
            {
                "subgraph": node.subgraph,
                "index": node.index,
                "op": node.operator,
                "name": node.name,
                "macs": node.macs,
                "instructions": None if node.instructions is None else node.instructions.total,
                "cycles": None if node.cycles is None else node.cycles.total,
                "latency_ms": node.latency_ms,
                "share": node.share,
                "evidence": node.evidence,
            }
            for node in self.nodes
        ]
        return pd.DataFrame(rows).set_index(["subgraph", "index"])
