"""Operators that give elements another shape, or take a part: with an output shape of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.cases import Case, Settings, grid, of_constant
from tests.runtime.kernels.test_shapes import expand_dims, int32, reshape, squeeze, transpose
from tests.runtime.kernels.test_slicing import slicing, strided
from tests.runtime.kernels.test_space_to_batch import to_batch, to_space
from tests.runtime.kernels.test_space_to_depth import to_depth
from tests.runtime.kernels.test_space_to_depth import to_space as depth_to_space
from tests.support.single_op import SingleOp
from tinyml_runtime.model.options import ReshapeOptions, StridedSliceOptions

F32, I8, I16, I32, I64 = np.float32, np.int8, np.int16, np.int32, np.int64
COMMON = (F32, I8, I16, I32)
# All that can be fed to TFLM's wheel.
ANY = (*COMMON, np.uint8, np.uint32, I64, np.uint64, np.float16, np.float64, np.bool_)
UNPADDED = ((0, 0), (0, 0))


def _reshape(before: Any, after: Any, kind: Any, given: Any) -> SingleOp:
    return reshape(before, after, kind, int32(given))


def _reshaped() -> list[Case]:
    squeezed: dict[str, Settings] = {
        "every 1": {},
        "one": {"after": (1, 3, 2), "dims": (2,)},
        "counted from the end": {"after": (1, 3, 2), "dims": (-2,)},
    }
    expanded: dict[str, Settings] = {
        "in front": {"axis": int32([0]), "before": (2, 3), "after": (1, 2, 3)},
        "behind": {"axis": int32([-1]), "before": (2, 3), "after": (2, 3, 1)},
        "between": {"axis": int32([1]), "before": (2, 3), "after": (2, 1, 3)},
        "by a scalar": {"axis": int32(1), "before": (2, 3), "after": (2, 1, 3)},
    }
    sizes: dict[str, Settings] = {
        "two dimensions": {"before": (2, 6), "after": (3, 4), "given": (3, 4)},
        "one unknown": {"before": (2, 6), "after": (4, 3), "given": (4, -1)},
        "flat": {"before": (2, 3, 2), "after": (12,), "given": (-1,)},
        "five dimensions": {
            "before": (24,),
            "after": (2, 1, 3, 1, 4),
            "given": (2, 1, 3, 1, 4),
        },
    }
    by_options: dict[str, Settings] = {"by options": {"options": ReshapeOptions((3, 4))}}
    return [
        *grid(_reshape, sizes, kind=ANY),
        *grid(reshape, by_options, kind=ANY),
        *grid(squeeze, squeezed, kind=ANY),
        *grid(of_constant, make=(squeeze,), kind=(np.uint16,)),
        *grid(of_constant, by_options, make=(reshape,), kind=(np.uint16,)),
        *grid(of_constant, sizes, make=(_reshape,), kind=(np.uint16,)),
        *grid(expand_dims, expanded, kind=(F32, I8, I16)),
        *grid(
            transpose,
            kind=(F32, I8, I16),
            axes=((0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0)),
        ),
        *grid(transpose, kind=(F32, I8, I16), axes=((1, 0),), shape=((3, 7),)),
        *grid(transpose, kind=(F32, I8, I16), axes=((0, 3, 1, 2),), shape=((2, 3, 4, 5),)),
        *grid(transpose, axes=((4, 1, 3, 0, 2),), shape=((2, 3, 1, 2, 2),)),
        *grid(transpose, axes=((0,),), shape=((3,),)),
    ]


def _sliced() -> list[Case]:
    kinds = (*COMMON, np.bool_)
    parts: dict[str, Settings] = {
        "rows": {},
        "the first axis": {"begin": (1, 0, 2), "size": (1, -1, 1), "after": (1, 3, 1)},
        "everything": {"begin": (0, 0, 0), "size": (-1, -1, -1), "after": (2, 3, 4)},
        "five dimensions": {
            "begin": (0, 1, 0, 2, 1),
            "size": (1, 1, 2, 1, -1),
            "after": (1, 1, 2, 1, 2),
            "shape": (1, 2, 2, 3, 3),
        },
    }
    walks: dict[str, Settings] = {
        "every second": {},
        "from the end": {
            "begin": (0, -2, -1),
            "end": (2, -1, -4),
            "strides": (1, 1, -1),
            "after": (2, 1, 3),
        },
        "backwards": {
            "begin": (1, 2, 3),
            "end": (-9, -9, 0),
            "strides": (-1, -2, -2),
            "after": (2, 2, 2),
        },
        "beyond the ends": {
            "begin": (-9, -9, 0),
            "end": (9, 9, 9),
            "strides": (1, 2, 3),
            "after": (2, 2, 2),
        },
        "the first axis": {
            "begin": (1, 0, 0),
            "end": (2, 3, 4),
            "strides": (1, 1, 1),
            "after": (1, 3, 4),
        },
        "begin and end masked": {
            "begin": (1, 1, 2),
            "end": (1, 1, 1),
            "strides": (1, -1, 1),
            "after": (2, 2, 2),
            "options": StridedSliceOptions(begin_mask=0b001, end_mask=0b111),
        },
        "an axis dropped": {
            "begin": (0, 1, 0),
            "end": (2, 2, 4),
            "strides": (1, 1, 1),
            "after": (2, 4),
            "options": StridedSliceOptions(shrink_axis_mask=0b010),
        },
    }
    return [
        *grid(slicing, parts, kind=kinds, words=(I32, I64)),
        *grid(strided, walks, kind=kinds),
    ]


def _blocks() -> list[Case]:
    batches: dict[str, Settings] = {
        "2 by 2": {},
        "one axis": {
            "image": (2, 6, 5),
            "block": (3,),
            "paddings": ((0, 0),),
            "after": (6, 2, 5),
        },
        "long": {
            "image": (1, 2, 6, 1),
            "block": (1, 3),
            "paddings": UNPADDED,
            "after": (3, 2, 2, 1),
        },
        "padded": {
            "image": (1, 3, 3, 2),
            "block": (2, 2),
            "paddings": ((1, 0), (0, 3)),
            "after": (4, 2, 3, 2),
        },
    }
    spaces: dict[str, Settings] = {
        "2 by 2": {},
        "one axis": {"batches": (6, 2, 5), "block": (3,), "crops": ((0, 0),), "after": (2, 6, 5)},
        "cropped": {"crops": ((1, 0), (2, 1)), "after": (2, 3, 3, 3)},
        "one axis, cropped": {
            "batches": (6, 2, 5),
            "block": (3,),
            "crops": ((1, 2),),
            "after": (2, 3, 5),
        },
    }
    depths: dict[str, Settings] = {
        "2 by 2": {},
        "3 by 3": {"image": (1, 6, 3, 1), "block": 3, "after": (1, 2, 1, 9)},
        "1 by 1": {"image": (3, 2, 1, 5), "block": 1, "after": (3, 2, 1, 5)},
    }
    shallow: dict[str, Settings] = {
        "2 by 2": {},
        "3 by 3": {"deep": (1, 2, 1, 9), "block": 3, "after": (1, 6, 3, 1)},
        "1 by 1": {"deep": (3, 2, 1, 5), "block": 1, "after": (3, 2, 1, 5)},
    }
    kinds = (F32, I8)
    return [
        *grid(to_batch, batches, kind=kinds),
        *grid(to_space, spaces, kind=kinds),
        *grid(to_depth, depths, kind=kinds),
        *grid(depth_to_space, shallow, kind=kinds),
    ]


CASES = [*_reshaped(), *_sliced(), *_blocks()]
