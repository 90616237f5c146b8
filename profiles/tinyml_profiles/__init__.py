"""Targets, and what a model needs on them.

>>> from tinyml_profiles import load_target, plan_model
>>> from tinyml_runtime import load_model
>>> plan = plan_model(load_model("examples/digits.tflite"), load_target("cortex-m4"))
>>> plan.arena.min_bytes <= plan.arena.recommended_bytes
True

Names are imported when they are first used, so that nobody waits for what they do not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyml_profiles.fit import fit_model
    from tinyml_profiles.fit_report import Budgets, FitReport
    from tinyml_profiles.latency_report import LatencyReport
    from tinyml_profiles.load import load_target, target_names
    from tinyml_profiles.plan import plan_model, runtime_profile
    from tinyml_profiles.profile import profile_model
    from tinyml_profiles.shared_model import FitModel
    from tinyml_profiles.target import Core, Target

__all__ = [
    "Budgets",
    "Core",
    "FitModel",
    "FitReport",
    "LatencyReport",
    "Target",
    "fit_model",
    "load_target",
    "plan_model",
    "profile_model",
    "runtime_profile",
    "target_names",
]

_EXPORTS = {
    "fit": ("fit_model",),
    "shared_model": ("FitModel",),
    "fit_report": ("Budgets", "FitReport"),
    "load": ("load_target", "target_names"),
    "latency_report": ("LatencyReport",),
    "profile": ("profile_model",),
    "plan": ("plan_model", "runtime_profile"),
    "target": ("Core", "Target"),
}
_HOMES = {name: module for module, names in _EXPORTS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import the module that has `name`, and keep it here."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
