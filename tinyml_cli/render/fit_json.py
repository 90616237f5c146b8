"""`tinyml fit` as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyml_cli.fitting.report import BoardFit, FitReports, ModelFits
from tinyml_cli.render.json_text import model_entry, to_json
from tinyml_profiles.fit_report import ENERGY, FLASH, LATENCY, RAM, Budgets, FitReport, Need

if TYPE_CHECKING:
    from tinyml_cli.fitting.baseline import Change
    from tinyml_profiles.changes.case import Remedy
    from tinyml_profiles.remedies import Remedies


def fit(reports: FitReports) -> str:
    """One model as its report; several as `fits`."""
    models = entries(reports)
    content: dict[str, Any] = models[0] if len(models) == 1 else {"fits": models}
    content = {**content, "budgets": _budgets(reports.budgets)}
    if reports.changes is not None:
        content["changes"] = [_change(change) for change in reports.changes]
    return to_json(content)


def entries(reports: FitReports) -> list[dict[str, Any]]:
    """Every model with its results."""
    return [_model(model) for model in reports.models]


def _model(fits: ModelFits) -> dict[str, Any]:
    return {
        "model": model_entry(fits.model),
        "results": [_board(board) for board in fits.boards],
    }


def _board(board: BoardFit) -> dict[str, Any]:
    report = board.report
    latency, binding = report.latency, report.binding
    total = None if latency is None else latency.total
    return {
        "board": report.target.name,
        "core": report.target.core.name,
        "kernels": report.library,
        "fits": report.fits,
        "verdict": report.verdict,
        "binds": None if binding is None else binding.name.lower(),
        "margin": None if binding is None else binding.margin,
        "ram": _ram(report),
        "flash": _flash(report),
        "latency_ms": _needed(report.need(LATENCY)),
        "latency_low_ms": None if total is None else total.latency_low_ms,
        "latency_high_ms": None if total is None else total.latency_high_ms,
        "energy_uj": _needed(report.need(ENERGY)),
        "evidence": {need.name.lower(): need.evidence for need in report.needs},
        "problems": [*report.refused, *report.problems],
        "notes": list(report.notes),
        "remedies": None if board.remedies is None else _remedies(board.remedies),
    }


def _needed(need: Need | None) -> float | None:
    return None if need is None else need.needed


def _bytes(need: Need | None) -> dict[str, int | None]:
    """What is needed, what there is, and what the user allows of it."""
    if need is None:
        return dict.fromkeys(("needed_bytes", "available_bytes", "budget_bytes"))
    figures = need.needed, need.available, need.budget
    needed, available, budget = (None if one is None else int(one) for one in figures)
    return {"needed_bytes": needed, "available_bytes": available, "budget_bytes": budget}


def _ram(report: FitReport) -> dict[str, Any]:
    sizes: dict[str, Any] = _bytes(report.need(RAM))
    if report.ram is None:
        return sizes
    return {
        **sizes,
        "memory": report.ram.memory,
        "parts": [
            {"name": part.name, "bytes": part.bytes, "from": part.evidence, "ref": part.ref}
            for part in report.ram.parts
        ],
    }


def _flash(report: FitReport) -> dict[str, Any]:
    sizes: dict[str, Any] = _bytes(report.need(FLASH))
    flash = report.flash
    if flash is None:
        return {**sizes, "model_bytes": None, "code_bytes": None}
    return {
        **sizes,
        "low_bytes": flash.low_bytes,
        "high_bytes": flash.high_bytes,
        "model_bytes": flash.model_bytes,
        "code_bytes": flash.code_bytes,
        "interpreter_bytes": flash.core_bytes,
        "kernel_bytes": flash.kernel_bytes,
        "library_bytes": flash.library_bytes,
        "libc_bytes": flash.libc_bytes,
        "logging_bytes": flash.logging_bytes,
        "ops": [
            {
                "op": kernel.operator,
                "own_bytes": kernel.own_bytes,
                "shared_bytes": kernel.shared_bytes,
                "bytes": kernel.bytes,
            }
            for kernel in flash.kernels
        ],
    }


def _budgets(budgets: Budgets) -> dict[str, float | None]:
    return {
        "latency_ms": budgets.latency_ms,
        "ram_bytes": budgets.ram_bytes,
        "flash_bytes": budgets.flash_bytes,
        "energy_uj": budgets.energy_uj,
    }


def _remedies(remedies: Remedies) -> dict[str, Any]:
    return {
        "enough": [_remedy(remedy) for remedy in remedies.enough],
        "not_enough": [_remedy(remedy) for remedy in remedies.not_enough],
        "ruled_out": list(remedies.ruled_out),
    }


def _remedy(remedy: Remedy) -> dict[str, Any]:
    report = remedy.report
    return {
        "what": remedy.what,
        "how": remedy.how,
        "fits": report.fits,
        "ram_bytes": _bytes(report.need(RAM))["needed_bytes"],
        "flash_bytes": _bytes(report.need(FLASH))["needed_bytes"],
        "latency_ms": _needed(report.need(LATENCY)),
        "energy_uj": _needed(report.need(ENERGY)),
        "slow": [
            {"name": tensor.name, "bytes": tensor.bytes, "memory": tensor.memory}
            for tensor in remedy.slow
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "model": change.model,
        "board": change.board,
        "what": change.what.lower(),
        "unit": change.unit or None,
        "before": change.before,
        "after": change.after,
    }
