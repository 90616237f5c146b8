"""How far two sides part: steps, real units, cosine, SQNR, a small histogram.

Stored    whole numbers of the same scale and zero point are compared as they are stored: one step
          is a difference of 1, exactly
Mixed     where only one side is quantized, or each in its own way, real values are compared; a step
          is the scale of our side, or of theirs where ours has none, rounded to whole steps
Floats    have no steps; `max_relative_diff` is |ours - theirs| / (|theirs| + L / 10), where L is
          the largest magnitude of the sample's tensor: what is small beside its neighbours has
          lost digits to them already
NaN       is never equal to anything. Where both sides have one in the same place the two agree all
          the same: that is counted by itself, and no such comparison is called identical
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log10, sqrt

import numpy as np

from tinyml_runtime.quantization import dequantize, is_quantized, quantize
from tinyml_runtime.tensor import Array, Tensor

FLOAT_TOLERANCE = 1e-4
_FLOOR = 0.1
_STEPS = ("<=-3", "-2", "-1", "0", "1", "2", ">=3")
_NO_STEP = _STEPS.index("0")
_RELATIVE_EDGES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
_RELATIVE = ("0", *(f"<={edge:.0e}".replace("e-0", "e-") for edge in _RELATIVE_EDGES), ">1e-1")


@dataclass(frozen=True, slots=True)
class Difference:
    """One tensor on two sides, over all samples.

    `max_steps` is None for floats, `max_relative_diff` for what has steps. `cosine` is None where
    a side is zero throughout, `sqnr_db` where the sides are equal (it has no bound then) or theirs
    is zero throughout. `histogram` counts elements by their difference, ours minus theirs, in
    steps; of floats by the relative difference.
    """

    elements: int
    mismatched: int
    max_steps: int | None
    max_abs_diff: float
    max_relative_diff: float | None
    cosine: float | None
    sqnr_db: float | None
    histogram: Sequence[tuple[str, int]]
    nan_ours: int = 0
    nan_theirs: int = 0
    nan_both: int = 0

    @property
    def is_identical(self) -> bool:
        """Whether every element is the same, and a number."""
        return not self.mismatched and not self.nan_both

    def is_within(self, steps: int, relative: float) -> bool:
        """Whether no element differs by more than `steps`, or `relative` if it is a float."""
        if self.nan_ours != self.nan_both or self.nan_theirs != self.nan_both:
            return False
        if self.max_relative_diff is not None:
            return self.max_relative_diff <= relative
        return self.max_steps is not None and self.max_steps <= steps


class DifferenceMeter:
    """Adds up the difference of one tensor, some samples at a time."""

    def __init__(self, ours: Tensor, theirs: Tensor) -> None:
        """Read stored values as the quantization of each side says."""
        self._forms = ours, theirs
        self._kinds = is_quantized(ours), is_quantized(theirs)
        self._is_float = not any(self._kinds) and "f" in _real_kind(ours) + _real_kind(theirs)
        self._are_alike = _form(ours) == _form(theirs)
        self._step = next((t.scale for t in (ours, theirs) if is_quantized(t)), 1.0)
        self._added = False
        self._elements = self._mismatched = 0
        self._nans = np.zeros(3, np.int64)
        self._largest = self._largest_relative = 0.0
        self._largest_steps = 0
        self._sums = np.zeros(4)  # ours * theirs, ours ** 2, theirs ** 2, (ours - theirs) ** 2
        self._counts = np.zeros(len(_RELATIVE if self._is_float else _STEPS), np.int64)

    def add(self, ours: Array, theirs: Array) -> Array:
        """Count values [samples, *shape]; gives the mismatches of each sample."""
        samples = len(ours)
        self._added = True
        ours, theirs = ours.reshape(samples, -1), theirs.reshape(samples, -1)
        if self._are_alike and not self._is_float:
            return self._add_stored(ours, theirs)
        mine, other = real_values(ours, self._forms[0]), real_values(theirs, self._forms[1])
        return self._add_real(mine, other)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been added."""
        return not self._added

    def result(self) -> Difference:
        """The difference over all that was added."""
        product, mine, other, noise = self._sums.tolist()
        norm = sqrt(mine) * sqrt(other)
        labels = _RELATIVE if self._is_float else _STEPS
        counts = self._counts.copy()
        counts[labels.index("0")] = self._elements - int(self._counts.sum())
        return Difference(
            elements=self._elements,
            mismatched=self._mismatched,
            max_steps=None if self._is_float else self._largest_steps,
            max_abs_diff=self._largest,
            max_relative_diff=self._largest_relative if self._is_float else None,
            cosine=None if not norm else min(1.0, product / norm) if noise else 1.0,
            sqnr_db=10 * log10(other / noise) if noise and other else None,
            histogram=tuple(zip(labels, counts.tolist(), strict=True)),
            nan_ours=int(self._nans[0]),
            nan_theirs=int(self._nans[1]),
            nan_both=int(self._nans[2]),
        )

    def _add_stored(self, ours: Array, theirs: Array) -> Array:
        self._elements += ours.size
        tensor = self._forms[0]
        zero_point = tensor.zero_point if self._kinds[0] else 0
        other = theirs.astype(np.float64).reshape(-1) - zero_point
        energy = float(other @ other) * self._step**2
        wrong = ours != theirs
        if not wrong.any():
            self._sums += (energy, energy, energy, 0.0)
            return np.zeros(len(ours), np.int64)
        # Differences of 64-bit values need not fit into 64 bits.
        wide = np.float64 if ours.dtype.itemsize == 8 else np.int64
        steps = ours[wrong].astype(wide) - theirs[wrong].astype(wide)
        mine = ours.astype(np.float64).reshape(-1) - zero_point
        noise = mine - other
        scaled = (float(mine @ other), float(mine @ mine), 0.0, float(noise @ noise))
        self._sums += np.asarray(scaled) * self._step**2
        self._sums[2] += energy
        self._count_steps(steps, np.abs(steps) * self._step)
        return wrong.sum(axis=1)

    def _add_real(self, ours: Array, theirs: Array) -> Array:
        self._elements += ours.size
        nans = np.isnan(ours), np.isnan(theirs)
        both = nans[0] & nans[1]
        self._nans += (nans[0].sum(), nans[1].sum(), both.sum())
        equal = (ours == theirs) | both
        with np.errstate(all="ignore"):
            differences = np.where(equal, 0.0, ours - theirs)
        self._add_sums(ours, theirs)
        if self._is_float:
            return self._count_relative(differences, theirs, ~equal)
        steps = np.rint(_far(differences / self._step))
        wrong = steps != 0
        self._count_steps(steps[wrong], np.abs(differences[wrong]))
        return wrong.sum(axis=1)

    def _add_sums(self, ours: Array, theirs: Array) -> None:
        finite = np.isfinite(ours) & np.isfinite(theirs)
        mine, other = ours[finite], theirs[finite]
        noise = mine - other
        self._sums += (mine @ other, mine @ mine, other @ other, noise @ noise)

    def _count_steps(self, steps: Array, real: Array) -> None:
        self._mismatched += steps.size
        if not steps.size:
            return
        self._largest = max(self._largest, float(_far(real).max()))
        largest = float(np.abs(steps).max())
        self._largest_steps = max(self._largest_steps, int(min(largest, 2.0**63)))
        places = np.clip(steps, -3, 3).astype(np.int64) + _NO_STEP
        self._counts += np.bincount(places, minlength=len(_STEPS))

    def _count_relative(self, differences: Array, theirs: Array, wrong: Array) -> Array:
        self._mismatched += int(wrong.sum())
        if wrong.any():
            magnitudes = np.nan_to_num(np.abs(theirs), nan=0.0, posinf=0.0)
            scale = magnitudes + _FLOOR * magnitudes.max(axis=1, initial=0.0, keepdims=True)
            with np.errstate(all="ignore"):
                relative = (np.abs(differences) / scale)[wrong]
            # A NaN or an infinity on one side only is as far as can be.
            relative = _far(relative)
            apart = _far(np.abs(differences[wrong]))
            self._largest = max(self._largest, float(apart.max()))
            self._largest_relative = max(self._largest_relative, float(relative.max()))
            # How many are beyond each edge; the first bin is for what is equal.
            beyond = [relative.size, *(int((relative > edge).sum()) for edge in _RELATIVE_EDGES), 0]
            self._counts[1:] += -np.diff(np.asarray(beyond))
        return wrong.sum(axis=1)


def real_values(values: Array, tensor: Tensor) -> Array:
    """Real values, as float64, of stored ones; complex ones as pairs."""
    if values.dtype.kind == "c":
        values = np.ascontiguousarray(values).view(values.real.dtype)
    return dequantize(values, tensor).astype(np.float64)


def stored_values(real: Array, tensor: Tensor) -> Array:
    """Real values as the tensor stores them, within its type's range."""
    if not is_quantized(tensor):
        return real.astype(tensor.dtype)
    return quantize(np.nan_to_num(real), tensor).stored


def is_same_form(ours: Tensor, theirs: Tensor) -> bool:
    """Whether the same stored values stand for the same real ones on both sides."""
    return _form(ours) == _form(theirs)


def _far(differences: Array) -> Array:
    """The same with infinity for NaN: no number is as far from a number."""
    return np.where(np.isnan(differences), inf, differences)


def _form(tensor: Tensor) -> tuple[object, ...]:
    quantized = (tensor.scale, tensor.zero_point) if is_quantized(tensor) else ()
    return (tensor.dtype, *quantized)


def _real_kind(tensor: Tensor) -> str:
    return "f" if tensor.dtype.kind in "fc" else ""
