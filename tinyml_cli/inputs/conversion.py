"""Numbers of any type as those that an input tensor takes, without changing what they mean."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from tinyml_runtime import Array, InputError, Tensor
from tinyml_runtime.quantization import is_quantized, quantize, real_range, stored_range

Meaning = Literal["auto", "real", "stored"]


class Converted(NamedTuple):
    """Values in the tensor's type, and what had to be done to them (None: nothing)."""

    values: Array
    note: str | None = None


def convert(array: Array, tensor: Tensor, meaning: Meaning, where: str) -> Converted:
    """`array` in the tensor's type.

    Quantized inputs take numbers as `stored` or as `real` ones, which are quantized; `auto` takes
    whole-number types as stored and floating-point types as real. InputError where values do not
    fit the type or cannot be quantized.
    """
    if array.dtype.kind not in "iufbc":
        raise InputError(f"{where}: holds {array.dtype}, not numbers")
    if is_quantized(tensor) and _is_real(array, meaning):
        return _quantized(array, tensor, where)
    if array.dtype == tensor.dtype:
        return _own_type(array, tensor, where)
    if tensor.dtype.kind == "f" and array.dtype.kind in "iufb":
        return _to_float(array, tensor, where)
    if tensor.dtype.kind in "iub" and array.dtype.kind in "iufb":
        return _to_integer(array, tensor, where)
    if np.can_cast(array.dtype, tensor.dtype, "safe"):
        return Converted(array.astype(tensor.dtype))
    raise InputError(f"{where}: holds {array.dtype}, the input takes {tensor.dtype}")


def _is_real(array: Array, meaning: Meaning) -> bool:
    return meaning == "real" or (meaning == "auto" and array.dtype.kind == "f")


def _quantized(array: Array, tensor: Tensor, where: str) -> Converted:
    _refuse_nan(array, where)
    quantized = quantize(array, tensor)
    note = f"quantized (scale {tensor.scale:.6g}, zero point {tensor.zero_point})"
    if quantized.clamped:
        low, high = real_range(tensor)
        note += (
            f"; {quantized.clamped} of {array.size} values outside {low:.4g}..{high:.4g} clamped"
        )
    return Converted(quantized.stored, note)


def _own_type(array: Array, tensor: Tensor, where: str) -> Converted:
    if array.dtype.kind in "iu":
        _check_range(array, tensor, where)
    # TFLM computes with NaN like with any float; a user who has one by mistake should know.
    missing = int(np.count_nonzero(np.isnan(array))) if array.dtype.kind in "fc" else 0
    values = np.asarray(array, tensor.dtype)
    return Converted(values, f"{missing} of {array.size} values are NaN" if missing else None)


def _to_float(array: Array, tensor: Tensor, where: str) -> Converted:
    with np.errstate(over="ignore"):
        values = array.astype(tensor.dtype)
    if np.count_nonzero(np.isinf(values)) > np.count_nonzero(np.isinf(array)):
        raise InputError(f"{where}: holds values beyond the range of {tensor.dtype}")
    missing = int(np.count_nonzero(np.isnan(values)))
    if missing:
        return Converted(values, f"{missing} of {array.size} values are NaN")
    is_rounded = array.dtype.kind == "f" and array.dtype.itemsize > values.itemsize
    return Converted(values, f"{array.dtype} rounded to {tensor.dtype}" if is_rounded else None)


def _to_integer(array: Array, tensor: Tensor, where: str) -> Converted:
    _refuse_nan(array, where)
    if array.dtype.kind == "f":
        fractions = np.argwhere(array != np.trunc(array))
        if len(fractions):
            value = array[tuple(fractions[0])]
            place, kind = _place(fractions[0]), tensor.type.name.lower()
            raise InputError(f"{where}: {value:g} {place}, but the input takes {kind}")
    _check_range(array, tensor, where)
    return Converted(array.astype(tensor.dtype), f"cast from {array.dtype} to {tensor.dtype}")


def _check_range(array: Array, tensor: Tensor, where: str) -> None:
    lowest, highest = stored_range(tensor)
    if not array.size:
        return
    low, high = array.min().item(), array.max().item()
    if low >= lowest and high <= highest:
        return
    remedy = "; '--values real' has them quantized" if is_quantized(tensor) else ""
    raise InputError(
        f"{where}: its values {low:g}..{high:g} do not fit {tensor.type.name.lower()} "
        f"({lowest}..{highest}){remedy}"
    )


def _refuse_nan(array: Array, where: str) -> None:
    if array.dtype.kind != "f" or not np.isnan(array).any():
        return
    place = _place(np.argwhere(np.isnan(array))[0])
    raise InputError(f"{where}: NaN {place}; an input of integers cannot take that")


def _place(indices: Array) -> str:
    sample, *place = indices.tolist()
    return f"in sample {sample} at {place}"
