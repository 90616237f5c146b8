"""A log and a model to measured times: of nodes, of operators, of the whole."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tinyml_profiles.amounts import milliseconds
from tinyml_profiles.logs.align import (
    NodeName,
    Placed,
    align,
    nodes_by_subgraph,
    operator_events,
    plain,
)
from tinyml_profiles.logs.records import Event, Log
from tinyml_profiles.logs.ticks import check_timer, is_right, mend, whole_turn
from tinyml_profiles.logs.units import Scale, Timing, choices, find_scale
from tinyml_runtime.errors import InputError
from tinyml_runtime.model.schema import Model

NodeKey = tuple[int, int]
# Timers that count so fast count cycles.
_CYCLES_HZ = 4e6


@dataclass(frozen=True, slots=True)
class Measurement:
    """One invocation of a model as measured, in milliseconds; the medians of all that there are.

    `nodes` are by subgraph and index, those of other nodes not in them; a node that runs several
    times in an invocation has the time of one run. `operators` are sums of an operator's nodes,
    `operators_ms` that of all; `whole_ms` is the whole invocation with the interpreter's own work.
    `tick_ms` is the smallest time that the log can tell, `unit` who says how long a tick is.
    """

    source: str
    format: str
    unit: str
    invocations: int
    tick_ms: float
    nodes: Mapping[NodeKey, float] = field(default_factory=dict[NodeKey, float])
    operators: Mapping[str, float] = field(default_factory=dict[str, float])
    operators_ms: float | None = None
    whole_ms: float | None = None
    notes: Sequence[str] = ()

    @property
    def total_ms(self) -> float:
        """The whole invocation, or the sum of its operators where that is all there is."""
        return self.whole_ms if self.whole_ms is not None else self.operators_ms or 0.0


def measure(log: Log, model: Model, timing: Timing) -> Measurement:
    """Lay a log beside its model.

    Raises:
        InputError: it is of another model, cut off, without a timer, or does not say what its
            ticks are.
    """
    graphs = nodes_by_subgraph(model)
    events = operator_events(log.events, graphs)
    if log.events and not events:
        first = log.events[0]
        raise InputError(f"{log.source}: line {first.line}: {first.tag} is no operator of TFLite")
    if events and not (log.may_be_sums and _is_by_operator(events, graphs[0])):
        return _by_node(log, events, graphs, timing)
    totals = [(event.line, event.tag, event.ticks, None) for event in events] or [
        (total.line, total.tag, total.ticks, total.calls) for total in log.totals
    ]
    if totals:
        return _by_operator(log, totals, graphs, timing)
    return _whole(log, timing)


def _is_by_operator(events: Sequence[Event], nodes: Sequence[NodeName]) -> bool:
    """Whether every operator stands once though the model has several nodes of some."""
    tags = [plain(event.tag) for event in events]
    names = [plain(node.operator) for node in nodes]
    return len(tags) == len(set(tags)) < len(names) and set(tags) == set(names)


def _by_node(
    log: Log, events: Sequence[Event], graphs: Sequence[Sequence[NodeName]], timing: Timing
) -> Measurement:
    aligned = align(log, events, graphs)
    check_timer(log, [placed.event.ticks for run in aligned.invocations for placed in run])
    mended = _Mended(aligned.invocations)
    per_invocation = statistics.median(mended.totals)
    scale = _scale(log, timing, per_invocation)
    nodes = {key: scale.ms_per_tick * ticks for key, ticks in mended.nodes()}
    operators: dict[str, float] = defaultdict(float)
    for node in graphs[0]:
        operators[node.operator] += nodes.get((node.subgraph, node.index), 0.0)
    return Measurement(
        source=log.source,
        format=log.format,
        unit=scale.says,
        invocations=len(aligned.invocations),
        tick_ms=scale.ms_per_tick,
        nodes=nodes,
        operators={} if mended.missing else dict(operators),
        operators_ms=scale.ms_per_tick * per_invocation,
        notes=[
            *log.notes,
            *aligned.notes,
            *mended.notes(),
            *_coarse(nodes),
            *_other_clock(scale, timing),
        ],
    )


class _Mended:
    """Ticks of every run of every node, wrong ones mended or left out."""

    def __init__(self, invocations: Sequence[Sequence[Placed]]) -> None:
        self._mended: list[int] = []
        self.missing: list[int] = []
        same: dict[NodeKey, list[Event]] = defaultdict(list)
        for run in invocations:
            for placed in run:
                same[placed.node.subgraph, placed.node.index].append(placed.event)
        right = [e.ticks for events in same.values() for e in events if is_right(e)]
        self._longest = max(right, default=0.0)
        self._runs: dict[NodeKey, list[float]] = {key: [] for key in same}
        self.totals = [self._invocation(run, same) for run in invocations]

    def _invocation(self, run: Sequence[Placed], same: Mapping[NodeKey, Sequence[Event]]) -> float:
        """The ticks of all nodes of an invocation; each node's own ones are kept."""
        own = [self._ticks(p, same[p.node.subgraph, p.node.index]) for p in run]
        whole = sum(ticks or 0.0 for ticks, p in zip(own, run, strict=True) if p.caller is None)
        for ticks, placed in zip(list(own), run, strict=True):
            above = None if placed.caller is None else own[placed.caller]
            if placed.caller is not None and above is not None and ticks is not None:
                own[placed.caller] = max(0.0, above - ticks)
        for ticks, placed in zip(own, run, strict=True):
            if ticks is not None:
                self._runs[placed.node.subgraph, placed.node.index].append(ticks)
        return whole

    def _ticks(self, placed: Placed, same: Sequence[Event]) -> float | None:
        event = placed.event
        if is_right(event):
            return event.ticks
        others = [other for other in same if other is not event]
        ticks = mend(event, others, self._longest)
        (self.missing if ticks is None else self._mended).append(event.line)
        return ticks

    def nodes(self) -> Iterator[tuple[NodeKey, float]]:
        """The median of each node's runs."""
        for key, runs in self._runs.items():
            if runs:
                yield key, statistics.median(runs)

    def notes(self) -> Iterator[str]:
        """What was done."""
        if self._mended:
            yield f"the counter went around in {_lines(self._mended)}: mended"
        if self.missing:
            yield (
                f"ticks below 0 in {_lines(self.missing)}, and nothing says by how much the "
                "counter went around: left out"
            )


def _lines(numbers: Sequence[int]) -> str:
    first = f"line {numbers[0]}"
    return first if len(numbers) == 1 else f"{first} and {len(numbers) - 1} more"


def _other_clock(scale: Scale, timing: Timing) -> Iterator[str]:
    """Ticks far finer than microseconds are cycles, of whatever clock there was."""
    per_second, clock_hz = 1e3 / scale.ms_per_tick, timing.clock_hz
    if clock_hz and per_second >= _CYCLES_HZ and not 0.98 < per_second / clock_hz < 1.02:
        yield (
            f"if its ticks are cycles, the clock was {per_second / 1e6:.4g} MHz, not "
            f"{clock_hz / 1e6:.4g}: --clock-mhz says so"
        )


def _coarse(nodes: Mapping[NodeKey, float]) -> Iterator[str]:
    none = sum(1 for ms in nodes.values() if not ms)
    if none:
        yield f"{none} of {len(nodes)} operators take less than a tick: a finer timer tells more"


def _by_operator(
    log: Log,
    totals: Sequence[tuple[int, str, float, int | None]],
    graphs: Sequence[Sequence[NodeName]],
    timing: Timing,
) -> Measurement:
    """Sums of operators; where an operator has one node, that is the node's time as well."""
    nodes: dict[str, list[NodeName]] = defaultdict(list)
    for node in (node for graph in graphs for node in graph):
        nodes[plain(node.operator)].append(node)
    ticks = {
        plain(tag): _sum_ticks(log, line, ticks)
        for line, tag, ticks, _ in totals
        if plain(tag) in nodes
    }
    _check_totals(log, totals, nodes, graphs[0])
    check_timer(log, list(ticks.values()))
    count = timing.invocations or 1
    scale = _scale(log, timing, sum(ticks.values()) / count)
    times = {tag: scale.ms_per_tick * each / count for tag, each in ticks.items()}
    return Measurement(
        source=log.source,
        format=log.format,
        unit=scale.says,
        invocations=count,
        tick_ms=scale.ms_per_tick / count,
        nodes={
            (found[0].subgraph, found[0].index): times[tag]
            for tag, found in nodes.items()
            if len(found) == 1 and tag in times
        },
        operators={nodes[tag][0].operator: time for tag, time in times.items()},
        operators_ms=sum(times.values()),
        whole_ms=_lap_ticks(log) * scale.ms_per_tick if log.laps else None,
        notes=[*log.notes, *_assumed_count(log, timing)],
    )


def _sum_ticks(log: Log, line: int, ticks: float) -> float:
    whole = whole_turn(ticks)
    if whole < 0:
        raise InputError(f"{log.source}: line {line}: a time of {ticks:g} ticks is below 0")
    return whole


def _assumed_count(log: Log, timing: Timing) -> Iterator[str]:
    if timing.invocations is None and log.unit is None:
        yield "sums are taken to be of one invocation; --invocations N says otherwise"


def _check_totals(
    log: Log,
    totals: Sequence[tuple[int, str, float, int | None]],
    nodes: Mapping[str, Sequence[NodeName]],
    main: Sequence[NodeName],
) -> None:
    """Raise InputError for the first operator that model and log do not share."""
    for line, tag, _, calls in totals:
        if "::" in tag:
            continue
        found = nodes.get(plain(tag), ())
        if not found:
            raise InputError(f"{log.source}: line {line}: the log has {tag}, the model has none")
        if calls is not None and calls != len(found):
            raise InputError(
                f"{log.source}: line {line}: the log has {calls} of {tag}, the model {len(found)}"
            )
    tags = {plain(tag) for _, tag, _, _ in totals}
    for node in main:
        if plain(node.operator) not in tags:
            last = totals[-1][0]
            raise InputError(
                f"{log.source}: line {last}: the log ends without {node.operator}, node "
                f"{node.index} of the model"
            )


def _whole(log: Log, timing: Timing) -> Measurement:
    ticks = _lap_ticks(log)
    check_timer(log, [ticks])
    scale = _scale(log, timing, ticks)
    return Measurement(
        source=log.source,
        format=log.format,
        unit=scale.says,
        invocations=sum(lap.invocations for lap in log.laps),
        tick_ms=scale.ms_per_tick / max(lap.invocations for lap in log.laps),
        whole_ms=scale.ms_per_tick * ticks,
        notes=log.notes,
    )


def _lap_ticks(log: Log) -> float:
    """Ticks of one invocation: the median of all laps."""
    return statistics.median(
        _sum_ticks(log, lap.line, lap.ticks) / lap.invocations for lap in log.laps
    )


def _scale(log: Log, timing: Timing, ticks: float) -> Scale:
    scale = find_scale(log, timing)
    if scale is not None:
        return scale
    would = "; ".join(
        f"--unit {unit}: {milliseconds(ms)}" for unit, ms in choices(ticks, timing.clock_hz)
    )
    raise InputError(
        f"{log.source}: the log does not say what a tick is. One invocation would be: {would}. "
        "--unit or --ticks-per-second (what the port's ticks_per_second() returns) says it"
    )
