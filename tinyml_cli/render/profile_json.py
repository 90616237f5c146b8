"""`tinyml profile` as JSON and CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from tinyml_cli.profiling.profile_models import ProfileReport
from tinyml_cli.render.json_text import measured_entry, model_entry, to_json
from tinyml_profiles.kinds import KindLatency
from tinyml_profiles.latency_report import NodeLatency, Total

if TYPE_CHECKING:
    from tinyml_profiles.logs.measure import Measurement
    from tinyml_profiles.what_if import WhatIf

_COLUMNS: Sequence[str] = (
    "model",
    "target",
    "kernels",
    "subgraph",
    "index",
    "op",
    "name",
    "macs",
    "instructions",
    "cycles",
    "latency_ms",
    "measured_ms",
    "share",
    "evidence",
)


def profile(reports: Sequence[ProfileReport]) -> str:
    """One profile as its report; several as `profiles`."""
    entries = [_report(report) for report in reports]
    return to_json(entries[0] if len(entries) == 1 else {"profiles": entries})


def profile_csv(reports: Sequence[ProfileReport]) -> str:
    """A row for every operator of every profile; an empty cell is unknown."""
    text = StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for report in reports:
        fixed = {
            "model": report.model.path,
            "target": report.latency.target.name,
            "kernels": report.latency.library,
        }
        nodes = report.latency.nodes
        writer.writerows({**fixed, **_node(node, report.measured)} for node in nodes)
    return text.getvalue().rstrip("\n")


def _report(report: ProfileReport) -> dict[str, Any]:
    latency, log, what_ifs = report.latency, report.measured, report.what_ifs
    return {
        "model": model_entry(report.model),
        "target": latency.target.name,
        "core": latency.target.core.name,
        "kernels": latency.library,
        "opt": latency.opt,
        "clock_hz": latency.clock_hz or None,
        "loops_core": latency.loops_core,
        "total": {**_total(latency.total), "measured_ms": None if log is None else log.total_ms},
        "measured": None if log is None else measured_entry(log),
        "range_of": latency.range_of,
        "samples": None if report.fed is None else report.fed.samples,
        "interpreter_ms": latency.overhead_ms,
        "evidence": latency.evidence,
        "ops": [_node(node, log) for node in latency.nodes],
        "by_type": [_kind(kind, log) for kind in report.kinds],
        "what_if": [] if what_ifs is None else [_what_if(one) for one in what_ifs.rows],
        "period_s": report.period_seconds,
        "duty_cycle": report.duty,
        "average_mw": report.average_mw,
        "average_mw_evidence": report.power_evidence,
        "notes": [
            *latency.notes,
            *(() if what_ifs is None else what_ifs.notes),
            *(() if report.fed is None else report.fed.notes),
        ],
    }


def _total(total: Total) -> dict[str, Any]:
    return {
        "macs": total.macs,
        "instructions": _whole(total.instructions),
        "cycles": _whole(total.cycles),
        "latency_ms": total.latency_ms,
        "latency_low_ms": total.latency_low_ms,
        "latency_high_ms": total.latency_high_ms,
        "energy_uj": total.energy_uj,
    }


def _node(node: NodeLatency, log: Measurement | None) -> dict[str, Any]:
    mix = node.mix
    return {
        "subgraph": node.subgraph,
        "index": node.index,
        "op": node.operator,
        "name": node.name,
        "macs": node.macs,
        "instructions": _whole(None if node.instructions is None else node.instructions.total),
        "spread": None if node.instructions is None else node.instructions.spread,
        "cycles": _whole(None if node.cycles is None else node.cycles.total),
        "latency_ms": node.latency_ms,
        "measured_ms": None if log is None else log.nodes.get((node.subgraph, node.index)),
        "share": node.share,
        "mix": None if mix is None else {name: round(count) for name, count in mix.items()},
        "evidence": node.evidence,
    }


def _kind(kind: KindLatency, log: Measurement | None) -> dict[str, Any]:
    return {
        "op": kind.name,
        "count": kind.nodes,
        "macs": kind.macs,
        "instructions": round(kind.instructions),
        "cycles": round(kind.cycles),
        "latency_ms": kind.latency_ms,
        "measured_ms": None if log is None else log.operators.get(kind.name),
        "share": kind.share,
        "cycles_per_mac": kind.cycles_per_mac,
    }


def _what_if(one: WhatIf) -> dict[str, Any]:
    return {
        "what": one.what,
        "latency_ms": one.latency_ms,
        "saved_ms": one.saved_ms,
        "how": one.how,
    }


def _whole(count: float | None) -> int | None:
    return None if count is None else round(count)
