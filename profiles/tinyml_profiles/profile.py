"""A model on a target: every node counted, priced, and added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from tinyml_profiles.cycles import Conditions, CyclePricer
from tinyml_profiles.instructions import (
    EVIDENCE,
    Instructions,
    LoopTable,
    Values,
    count_instructions,
)
from tinyml_profiles.latency_report import LatencyReport, NodeLatency, Total
from tinyml_profiles.load import load_target
from tinyml_profiles.loops import FoundLoops, find_loops
from tinyml_profiles.optimization import COUNTED_ON, EXACT, LEVELS, USUAL, find_sized_loops
from tinyml_profiles.target import Core, Target
from tinyml_profiles.traffic import NO_WALK, Traffic, node_traffic
from tinyml_profiles.uncertainty import Interval, element_bounds, interval
from tinyml_profiles.usual_work import RecentWork
from tinyml_profiles.work import CountedNode, ModelWork, NodeWork
from tinyml_runtime.errors import InputError
from tinyml_runtime.library import KernelLibrary, base_name
from tinyml_runtime.macs import count_macs
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array
from tinyml_runtime.workload import LoopWork
from tinyml_runtime.workloads.generic import count_made

OnProgress: TypeAlias = Callable[[int, int], None]

UNKNOWN, ASSUMED = "unknown", "assumed"
_RECENT = RecentWork()
# What the interpreter executes beside the nodes: once, and for each of them.
INTERPRETER = "interpreter"


@dataclass(frozen=True, slots=True)
class _Priced:
    """A node before its share is known."""

    node: NodeLatency
    cycles: float | None


def profile_model(
    model: Model,
    target: Target | str,
    library: str | KernelLibrary = "reference",
    *,
    clock_hz: float | None = None,
    weights_in: str | None = None,
    arena_in: str | None = None,
    opt: str = USUAL,
    samples: Sequence[Array] = (),
    on_progress: OnProgress | None = None,
) -> LatencyReport:
    """Predict what one invocation of `model` takes on `target`.

    Without other wishes the target runs at its usual clock and reads weights and arena from where
    they usually lie; `opt` is the compiler's optimisation of the kernels, O2 or Os.

    Some kernels execute more for some values than for others. With `samples`, an array [count,
    *shape] for each input, the model runs on them, and the prediction is the mean over them;
    without, it is as `usual_work` has it. `on_progress` hears of samples done, and of all.

    Raises:
        UnsupportedModelError: nodes that cannot run, all of them.
        RunError: samples that an operator does not take.
        TargetError: there is no such target, or it has no memory of that name.
        InputError: a clock that is not above 0, or another optimisation.
        ValueError: samples of another shape or type than the inputs.
    """
    target = load_target(target) if isinstance(target, str) else target
    name = library if isinstance(library, str) else library.name
    if clock_hz is not None and not 0.0 < clock_hz < float("inf"):
        raise InputError(f"a clock of {clock_hz:g} Hz is not above 0")
    if opt not in LEVELS:
        raise InputError(f"no optimisation '{opt}' (there are: {', '.join(LEVELS)})")
    if samples:
        work = _fed_work(model, target.core, library, samples, on_progress)
    else:
        work = _RECENT.of(model, target.core, library)
    return profile_work(work, target, Conditions(name, clock_hz, weights_in, arena_in), opt)


def _fed_work(
    model: Model,
    core: Core,
    library: str | KernelLibrary,
    samples: Sequence[Array],
    on_progress: OnProgress | None,
) -> ModelWork:
    from tinyml_profiles.fed_work import fed_work  # most profiles run nothing

    return fed_work(model, core, library, samples, on_progress)


def profile_work(
    work: ModelWork, target: Target, conditions: Conditions, opt: str = USUAL
) -> LatencyReport:
    """As `profile_model`, of a model whose work with the library of `conditions` is known.

    Targets whose cores have the same extensions share the work.
    """
    clock_hz, name = conditions.clock_hz, conditions.library
    if clock_hz is None:
        clock_hz = target.board.clock_hz.value if target.board else None
    measured = replace(conditions, library=base_name(name), clock_hz=clock_hz)
    pricer = CyclePricer(target, measured)
    return _Prices(target, name, opt, clock_hz, work, pricer).report()


class _Prices:
    def __init__(
        self,
        target: Target,
        library: str,
        opt: str,
        clock_hz: float | None,
        work: ModelWork,
        pricer: CyclePricer,
    ) -> None:
        self._target, self._library, self._opt = target, library, opt
        self._clock_hz, self._work, self._pricer = clock_hz, work, pricer
        # What was measured is the library without build switches.
        self._measured = base_name(library)
        self._loops = find_loops(target.core, self._measured)
        self._sized = None if opt == USUAL else find_sized_loops(target.core, self._measured)
        if opt != USUAL and self._sized is None:
            self._loops = None

    def report(self) -> LatencyReport:
        nodes = [self._price(work) for work in self._work.nodes]
        overhead = self._overhead(len(nodes))
        known = [node.cycles.total for node in nodes if node.cycles is not None]
        all_cycles = sum(known) + overhead[1]
        nodes = [
            node
            if node.cycles is None or not all_cycles
            else replace(node, share=node.cycles.total / all_cycles)
            for node in nodes
        ]
        evidence = _weakest(nodes, self._loops)
        spread = sum(map(_spread_cycles, nodes)) / max(all_cycles, 1.0)
        factors = interval(self._target, self._measured, spread)
        return LatencyReport(
            target=self._target,
            library=self._library,
            opt=self._opt,
            clock_hz=self._clock_hz or 0.0,
            loops_core=None if self._loops is None else self._loops.core,
            evidence=evidence,
            total=self._total(nodes, overhead, factors),
            range_of=None if factors is None else factors.of,
            overhead_ms=self._milliseconds(overhead[1]) or 0.0,
            nodes=nodes,
            notes=list(self._notes(nodes)),
        )

    def _price(self, work: NodeWork) -> NodeLatency:
        node = work.node
        counted = self._counted(work)
        facts = node.subgraph, node.index, node.operator, counted.name, counted.macs
        instructions, is_assumed = counted.instructions, counted.is_assumed
        if instructions is None or instructions.unpriced or self._loops is None:
            return NodeLatency(*facts, None, None, None, None, UNKNOWN)
        bounds = EXACT
        if instructions.evidence == ASSUMED:
            bounds = element_bounds(self._loops.table)
        if self._sized is not None:
            sized = self._sized.count(work.loops, instructions)
            instructions, is_assumed = sized.instructions, is_assumed or sized.is_assumed
            bounds = bounds[0] * sized.bounds[0], bounds[1] * sized.bounds[1]
        cycles = self._pricer.price(instructions, counted.traffic)
        evidence = EVIDENCE[
            max(EVIDENCE.index(cycles.evidence), EVIDENCE.index(self._loops.evidence))
        ]
        return NodeLatency(
            *facts,
            instructions,
            cycles,
            self._milliseconds(cycles.total),
            None,
            ASSUMED if is_assumed else evidence,
            bounds,
            is_pointwise=counted.traffic.is_pointwise,
        )

    def _counted(self, work: NodeWork) -> CountedNode:
        """What targets with the same loops share, kept with the work."""
        node, table = work.node, None if self._loops is None else self._loops.table
        key = id(table), self._measured, node.subgraph, node.index
        if key not in self._work.counted:
            context = self._work.context(work)
            macs = count_macs(context, node)
            self._work.counted[key] = CountedNode(
                self._work.output_name(work),
                macs,
                *((None, False) if table is None else self._count(work, table)),
                node_traffic(context, node, self._measured, macs),
            )
        return self._work.counted[key]

    def _count(self, work: NodeWork, table: LoopTable) -> tuple[Instructions, bool]:
        """The instructions of a node, and whether a part of them is only assumed.

        Of a kernel whose loops were measured in part the rest is left out; for one of which nothing
        was, a loop over its elements stands.
        """
        counted = count_instructions(work.loops, table, work.values)
        if not counted.unpriced:
            return counted, False
        if len(counted.unpriced) < len(work.loops):
            return replace(counted, unpriced=()), True
        loops = count_made(self._work.context(work), work.node)
        return count_instructions(loops, table), True

    def _overhead(self, nodes: int) -> tuple[float, float]:
        """Instructions and cycles of the interpreter itself."""
        if self._loops is None:
            return 0.0, 0.0
        loops = [LoopWork(INTERPRETER, entries=1, trips=nodes)]
        instructions = count_instructions(loops, self._loops.table)
        cycles = self._pricer.price(instructions, Traffic(INTERPRETER, NO_WALK, NO_WALK))
        return instructions.total, cycles.core + cycles.stalls

    def _total(
        self,
        nodes: Sequence[NodeLatency],
        overhead: tuple[float, float],
        factors: Interval | None,
    ) -> Total:
        macs = sum(node.macs for node in nodes)
        counted = [(node.instructions, node.cycles) for node in nodes]
        if any(instructions is None or cycles is None for instructions, cycles in counted):
            return Total(macs, None, None, None, None, None, None)
        instructions = sum(_total_of(one) for one, _ in counted) + overhead[0]
        cycles = sum(one.total for _, one in counted if one is not None) + overhead[1]
        latency = self._milliseconds(cycles)
        low = high = None
        if latency is not None and factors is not None:
            low, high = (
                end * (latency + sum((n.bounds[k] - 1) * (n.latency_ms or 0.0) for n in nodes))
                for k, end in enumerate((factors.low, factors.high))
            )
        return Total(macs, instructions, cycles, latency, low, high, self._energy(latency))

    def _milliseconds(self, cycles: float) -> float | None:
        return None if not self._clock_hz else cycles / self._clock_hz * 1000.0

    def _energy(self, latency_ms: float | None) -> float | None:
        power = self._target.board.power.active_mw if self._target.board else None
        return None if power is None or latency_ms is None else power.value * latency_ms

    def _notes(self, nodes: Sequence[NodeLatency]) -> Iterator[str]:
        core = self._target.core.name
        if self._loops is None and self._opt != USUAL:
            yield f"nobody has counted the kernels of {self._library} at -{self._opt}"
        elif self._loops is None:
            yield f"nobody has measured the loops of {self._library} on {core} or one like it"
        elif self._loops.core != core:
            yield f"instructions as measured on {self._loops.core}, which stands for {core}"
        assumed = sorted({n.operator for n in nodes if n.evidence == ASSUMED})
        if assumed and self._loops is not None:
            share = sum(n.share or 0.0 for n in nodes if n.evidence == ASSUMED)
            yield f"assumed, not measured: {', '.join(assumed)} ({share:.0%} of the cycles)"
        scaled = sorted({n.operator for n in nodes if n.bounds != EXACT})
        if self._sized is not None and scaled:
            least, most = self._sized.there.beside_usual
            yield (
                f"nobody has counted that at -{self._opt} on {core}: {', '.join(scaled)}; the range"
                f" is {least:.1f} to {most:.1f} times the instructions of -{USUAL}, as operators"
                f" on {COUNTED_ON} took"
            )
        ran = any(work.values is Values.REFERENCE for work in self._work.nodes)
        if ran and any(map(_spread_cycles, nodes)):
            yield "loops that depend on values are counted on a reference input (--input: on yours)"
        if self._work.calls:
            yield "what IF and WHILE call is counted as if it ran once"


def _total_of(instructions: Instructions | None) -> float:
    return 0.0 if instructions is None else instructions.total


def _spread_cycles(node: NodeLatency) -> float:
    """Cycles that values may make more or fewer: nodes are taken to vary together."""
    if node.instructions is None or node.cycles is None:
        return 0.0
    return node.instructions.spread * node.cycles.total


def _weakest(nodes: Sequence[NodeLatency], loops: FoundLoops | None) -> str:
    if loops is None or any(node.evidence == UNKNOWN for node in nodes):
        return UNKNOWN
    return EVIDENCE[max((EVIDENCE.index(node.evidence) for node in nodes), default=0)]
