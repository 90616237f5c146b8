"""The few factors that bring a prediction to measurements: a robust fit that stays near its start.

    cycles = core x a + fetch x b + weights x c + arena x d + operators x e

`a` to `e` are a target's calibration, the others what is predicted without one. The sum of squares
has a term for each measurement, the logarithm of predicted over measured divided by the error that
is usual, and one for each parameter, how far it is from its start divided by how far it is trusted.
The more a measurement is off by than twice the usual error, the less it pulls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PARAMETERS = ("core", "fetch", "weights", "arena", "operator_cycles")
Values = NDArray[np.float64]

# How far a parameter goes from its start as easily as one measurement is off by the usual error:
# factors by their logarithm, cycles of an operator by their number.
TRUST = np.array([0.3, 0.7, 0.7, 0.7, 500.0])
_LOWEST = np.array([0.1, 0.05, 0.05, 0.05, 0.0])
_HIGHEST = np.array([10.0, 20.0, 20.0, 20.0, 1e5])
_FACTORS = 4
# The error that is taken to be usual at first, and the least that it is taken to be.
_FIRST_ERROR = 0.1
_LEAST_ERROR = 0.02
_FEW = 4
_OUTLIER = 2.0
_ROUNDS = 4
_STEPS = 30
# A part below this share of all cycles tells nothing about its parameter; each parameter needs so
# many measurements.
_LEAST_SHARE = 0.02
_MEASUREMENTS_EACH = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """A measurement and the parts of its prediction, both in cycles.

    `noise` is how far it may be off by the timer alone, as a share; `width` by how much its error
    is usually larger than that of others.
    """

    parts: Values
    cycles: float
    noise: float = 0.0
    width: float = 1.0


def predict(parts: Values, values: Values) -> float:
    """Cycles of the parts with these parameters."""
    return float(parts @ values)


def free_parameters(samples: Sequence[Sample], start: Values) -> list[int]:
    """Those that so many measurements can tell: the core's first, then by share of the cycles."""
    shares = np.sum([sample.parts * start for sample in samples], axis=0)
    shares = shares / max(float(shares.sum()), 1e-9)
    stalls = [k for k in range(1, _FACTORS) if shares[k] >= _LEAST_SHARE]
    order = [0, *sorted(stalls, key=lambda k: -shares[k]), PARAMETERS.index("operator_cycles")]
    return order[: max(1, len(samples) // _MEASUREMENTS_EACH)]


def fit(samples: Sequence[Sample], start: Values, free: Sequence[int]) -> tuple[Values, float]:
    """The parameters, and the error that is usual once they are fitted, as a share."""
    design = np.array([sample.parts for sample in samples])
    logs = np.log([sample.cycles for sample in samples])
    width = np.array([sample.width for sample in samples])
    noise = np.array([sample.noise for sample in samples])
    values = start.copy()
    ratio = float(np.median(logs - np.log(design @ start)))
    values[0] = np.clip(start[0] * np.exp(ratio), _LOWEST[0], _HIGHEST[0])
    error = _FIRST_ERROR
    for _ in range(_ROUNDS):
        error = max(error, _scatter(design, logs, width, values))
        sigma = np.hypot(error * width, noise)
        values = _solve(design, logs, sigma, values, start, free)
        error = _LEAST_ERROR
    return values, max(error, _scatter(design, logs, width, values))


def _scatter(design: Values, logs: Values, width: Values, values: Values) -> float:
    """The error that is usual, but for what all have in common: the parameters take that up."""
    if len(logs) < _FEW:
        return _LEAST_ERROR
    residuals = np.log(design @ values) - logs
    return min(1.0, float(1.4826 * np.median(np.abs(residuals - np.median(residuals)) / width)))


def _solve(
    design: Values,
    logs: Values,
    sigma: Values,
    values: Values,
    start: Values,
    free: Sequence[int],
) -> Values:
    """Gauss and Newton's steps with Cauchy's weights, inside the bounds."""
    chosen = np.array(free)
    is_factor = chosen < _FACTORS
    trust = TRUST[chosen]
    for _ in range(_STEPS):
        predicted = design @ values
        residuals = (np.log(predicted) - logs) / sigma
        weights = np.sqrt(1 / (1 + (residuals / _OUTLIER) ** 2))
        slopes = design[:, chosen] / predicted[:, None]
        slopes = np.where(is_factor, slopes * values[chosen], slopes) / sigma[:, None]
        now, then = values[chosen], start[chosen]
        ratio = np.divide(now, then, out=np.ones_like(now), where=is_factor)
        away = np.where(is_factor, np.log(ratio), now - then)
        matrix = np.vstack([slopes * weights[:, None], np.diag(1 / trust)])
        target = -np.concatenate([residuals * weights, away / trust])
        step = np.linalg.lstsq(matrix, target, rcond=None)[0]
        new = np.where(is_factor, now * np.exp(np.clip(step, -1, 1)), now + step)
        new = np.clip(new, _LOWEST[chosen], _HIGHEST[chosen])
        values = values.copy()
        values[chosen] = new
        if np.allclose(new, now, rtol=1e-6, atol=1e-3):
            break
    return values
