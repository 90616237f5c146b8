"""Operators that move elements: joined, cut, transposed, padded, repeated, looked up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.conformance.cases import Case, Settings, grid, of_constant
from tests.runtime.kernels.test_broadcast_to import ARGS, broadcast, shapes
from tests.runtime.kernels.test_concatenation import concatenation, pack, split, split_v, unpack
from tests.runtime.kernels.test_dynamic_update_slice import update
from tests.runtime.kernels.test_fill import fill, zeros_like
from tests.runtime.kernels.test_gather import gather, gather_nd, lookup
from tests.runtime.kernels.test_mirror_pad import mirror
from tests.runtime.kernels.test_pad import FED, pad
from tests.runtime.kernels.test_reverse import reverse
from tests.runtime.kernels.test_shape import shape as shape_of
from tests.support.single_op import SingleOp, constant
from tinyml_runtime.model.options import MirrorPadOptions, ShapeOptions
from tinyml_runtime.types import BuiltinOperator as Op
from tinyml_runtime.types import MirrorPadMode, TensorType

F32, I8, U8, I16, I32, U32, I64 = (
    np.float32,
    np.int8,
    np.uint8,
    np.int16,
    np.int32,
    np.uint32,
    np.int64,
)
COMMON = (F32, I8, I16, I32)
# All that can be fed to TFLM's wheel.
ANY = (F32, I8, U8, I16, I32, U32, I64, np.uint64, np.float16, np.float64, np.bool_)


def _joined_and_cut() -> list[Case]:
    lengths = {"three": {}, "one": {"lengths": (3,)}, "ten": {"lengths": (1,) * 10}}
    deep: Settings = {"axis": 4, "others": (1, 2, 1, 2, 3)}
    packed: dict[str, Settings] = {"": {}, "one": {"count": 1}, "scalars": {"shape": ()}}
    return [
        *grid(concatenation, kind=(*COMMON, I64, np.bool_), axis=(0, 1, 2, -1, -3)),
        *grid(concatenation, lengths, kind=(I8, F32), constants=((), (0,))),
        *grid(concatenation, {"six dimensions": deep}, kind=(I8,)),
        *grid(pack, kind=(*COMMON, I64), axis=(0, 1, 2, -1, -3)),
        *grid(pack, packed, kind=(I8, F32), note="packed"),
        *grid(unpack, kind=COMMON, axis=(0, 1, 2, -1, -3)),
        *grid(unpack, packed, kind=(I8, F32), note="unpacked"),
        *grid(split, kind=COMMON, axis=(0, 1, 2, -1), count=(1,), shape=((2, 6, 4),)),
        *grid(split, kind=COMMON, axis=(0, 1, 2, -2), count=(2,), shape=((2, 6, 4),)),
        *grid(split_v, kind=COMMON, axis=(1, -2)),
        *grid(split_v, kind=COMMON, axis=(2,), lengths=((1, 1, 1),)),
    ]


def _padded() -> list[Case]:
    paddings: dict[str, Settings] = {
        "an image": {},
        "the first axis": {"shape": (2, 3), "paddings": ((1, 0), (0, 2))},
        "one dimension": {"shape": (4,), "paddings": ((2, 1),)},
        "five dimensions": {"shape": (2, 1, 2, 1, 3), "paddings": ((1, 1),) * 5},
        "nothing": {"shape": (2, 3), "paddings": ((0, 0), (0, 0))},
    }
    mirrors: dict[str, Settings] = {
        "an image": {},
        "every axis": {"shape": (2, 3, 2), "paddings": ((1, 1), (2, 0), (0, 1))},
        "nothing": {"paddings": ((0, 0),) * 4},
        "five dimensions": {
            "shape": (1, 2, 2, 2, 3),
            "paddings": ((0, 0), (1, 0), (0, 1), (1, 1), (2, 2)),
        },
    }
    return [
        *grid(pad, paddings, kind=COMMON),
        *grid(pad, paddings, operator=(Op.PADV2,), kind=COMMON, value=(-7, None)),
        *grid(pad, operator=(Op.PAD, Op.PADV2), kind=COMMON, value=(9, FED)),
        *grid(pad, kind=(I8, I16), zero_point=(-128, 127)),
        *grid(
            mirror,
            mirrors,
            kind=(F32, I8),
            options=[MirrorPadOptions(mode) for mode in MirrorPadMode],
            words=(I32, I64),
        ),
    ]


def _looked_up() -> list[Case]:
    gathered: dict[str, Settings] = {
        "rows": {"shape": (3, 4), "positions": (5,), "after": (5, 4)},
        "a middle axis": {
            "shape": (3, 2, 4),
            "positions": (2, 2),
            "after": (3, 2, 2, 4),
            "axis": 1,
        },
        "the last axis": {"shape": (3, 2, 4), "positions": (3,), "after": (3, 2, 3), "axis": -1},
        "one index": {"shape": (3, 4), "positions": (), "after": (3,), "axis": 1},
        "batches": {
            "shape": (2, 3, 5),
            "positions": (2, 4),
            "after": (2, 4, 5),
            "axis": 1,
            "batch_dims": 1,
        },
    }
    nd: dict[str, Settings] = {
        "rows": {"shape": (3, 2), "positions": (4, 1), "after": (4, 2)},
        "parts": {"shape": (3, 2, 4), "positions": (5, 2), "after": (5, 4)},
        "single elements": {"shape": (3, 2, 4), "positions": (2, 2, 3), "after": (2, 2)},
        "five dimensions": {"shape": (2, 3, 2, 3, 2), "positions": (3, 5), "after": (3,)},
    }
    fixed = ((False, False), (True, True), (False, True))
    # Indices below 2 are in range of every axis.
    last, first = {1: (0, 1)}, {0: (0, 1)}
    return [
        *grid(gather, gathered, kind=(F32, I8), constants=fixed, limits=last),
        *grid(gather, gathered, kind=(F32, I8), constants=((True, False),), limits=first),
        *grid(gather_nd, nd, kind=(F32, I8), constants=fixed, limits=last),
        *grid(
            lookup,
            {"": {}, "matrices": {"shape": (2, 3, 5)}},
            constants=((True, False), (False, False)),
            limits=first,
        ),
        *grid(lookup, kind=(F32,), after=(F32,), count=(1, 4), limits=first),
        *grid(lookup, after=(F32,), scale=(0.37, 0.01), count=(1, 4), limits=first),
    ]


def _broadcast(**settings: Any) -> SingleOp:
    # LiteRT has no earlier version.
    return replace(broadcast(**settings), version=2)


def _shape(**settings: Any) -> SingleOp:
    return replace(shape_of(**settings), options=ShapeOptions(TensorType.INT32))


def _args(first: Any, second: Any, after: Any, words: Any) -> SingleOp:
    one, other = (constant(np.array(values, words)) for values in (first, second))
    return shapes(one, other, len(after), words)


def _repeated() -> list[Case]:
    targets: dict[str, Settings] = {
        "": {},
        "the first axis": {"shape": (1, 3), "after": (4, 3)},
        "no axis": {"shape": (2, 3), "after": (2, 3)},
        "a scalar": {"shape": (), "after": (2, 2)},
        "five dimensions": {"shape": (2, 1, 1, 2), "after": (3, 2, 2, 3, 2)},
    }
    named = {
        name: {"first": first, "second": second, "after": after}
        for name, (first, second, after) in ARGS.items()
        if name not in ("a longer output", "an output of the last axes")
    }
    starts: dict[str, Settings] = {
        "": {},
        "beyond the end": {"start": (9, 2, 3)},
        "before the beginning": {"start": (-1, -9, 0)},
        "of everything": {"start": (5, 5, 5), "box": (2, 3, 4)},
        "a start that is fed": {"start": None},
    }
    return [
        *grid(_broadcast, targets, kind=ANY, words=(I32, I64)),
        *grid(of_constant, make=(_broadcast,), kind=(np.uint16,), words=(I32, I64)),
        *grid(_args, named, words=(I32, I64)),
        *grid(update, starts, kind=COMMON, words=(I32, I64)),
        *grid(fill, kind=(F32, I8, I32), dims=(I8, I16, I32, I64), shape=((2, 3), (5,))),
        *grid(zeros_like, kind=(F32, I8, I32, I64)),
    ]


def _turned() -> list[Case]:
    axes = ((0,), (1,), (3,), (-1,), (1, 2), (2, 1), (-3, 0), (0, 1, 2, 3))
    sizes = {"2 by 3 by 5": {}, "7": {"dims": (7,), "size": 1}}
    return [
        *grid(reverse, kind=(F32, I8, U8, I16, I32, I64, np.bool_), axes=axes),
        *grid(reverse, axes=((2, 3),), shape=((1, 2, 3, 2, 1, 2),)),
        *grid(_shape, sizes, kind=ANY),
        *grid(of_constant, make=(_shape,), kind=(np.uint16,)),
    ]


CASES = [
    *_joined_and_cut(),
    *_padded(),
    *_looked_up(),
    *_repeated(),
    *_turned(),
]
