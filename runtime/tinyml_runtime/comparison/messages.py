"""Messages between this process and one that runs a foreign runtime: facts and arrays.

A message is a line of JSON, which ends with the types and shapes of arrays, and then their bytes.
Nothing in it can run code: the other process may have been taken over by the model that it ran.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import prod
from typing import IO, Any, NamedTuple, TypeAlias, cast

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]

_LONGEST_LINE = 1 << 24
_LARGEST_ARRAY_BYTES = 1 << 32
# The kinds of element that a message can carry: numbers and truth values.
KINDS = "biufc"


class Message(NamedTuple):
    """Facts by name, and arrays."""

    facts: dict[str, Any]
    arrays: Sequence[Array] = ()


def write_message(stream: IO[bytes], message: Message) -> None:
    """Send a message."""
    arrays = [np.asarray(array, order="C") for array in message.arrays]
    forms = [[array.dtype.str, list(array.shape)] for array in arrays]
    line = json.dumps({"facts": message.facts, "arrays": forms})
    stream.write(line.encode() + b"\n")
    for array in arrays:
        stream.write(array.tobytes())
    stream.flush()


def read_message(stream: IO[bytes]) -> Message:
    """Receive a message; EOFError where there is no whole one, or none that makes sense."""
    try:
        content = json.loads(stream.readline(_LONGEST_LINE))
        facts, forms = content["facts"], content["arrays"]
        if not isinstance(facts, dict):
            raise EOFError
        arrays = [_read_array(stream, np.dtype(str(name)), shape) for name, shape in forms]
    except (ValueError, TypeError, KeyError) as error:
        raise EOFError from error
    return Message(cast("dict[str, Any]", facts), arrays)


def _read_array(stream: IO[bytes], dtype: np.dtype[Any], shape: Sequence[int]) -> Array:
    lengths = [int(length) for length in shape]
    count = prod(lengths) * dtype.itemsize
    if dtype.kind not in KINDS or min(lengths, default=0) < 0 or count > _LARGEST_ARRAY_BYTES:
        raise EOFError
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return np.frombuffer(data, dtype).reshape(lengths)
