"""Copies that are bound once, whatever the layout of their arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_runtime.kernels.binding import bind_copies, bind_copy
from tinyml_runtime.tensor import Array


def _values(shape: tuple[int, ...], dtype: str) -> Array:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.random.default_rng(0).integers(0, 256, size, np.uint8).view(dtype).reshape(shape)


@settings(max_examples=200, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 20)),
    dtype=st.sampled_from(["i1", "i2", "f4", "i8"]),
    order=st.permutations([0, 1, 2]),
    steps=st.tuples(*[st.sampled_from([1, 2, 3, -1])] * 3),
    start=st.integers(0, 3),
)
def test_a_copy_has_every_bit_of_a_source_of_any_layout(
    shape: tuple[int, int, int],
    dtype: str,
    order: list[int],
    steps: tuple[int, int, int],
    start: int,
) -> None:
    wide = _values((9, 9, 24), dtype).transpose(order)
    source = wide[:: steps[0], :: steps[1], start :: steps[2]]
    source = source[: shape[0], : shape[1], : shape[2]]
    target = np.zeros(source.shape, dtype)
    bind_copy(target, source)()
    assert target.tobytes() == source.tobytes()


def test_a_copy_follows_its_source_and_leaves_the_neighbours_of_its_target() -> None:
    source, room = np.zeros((3, 4), np.int8), np.full((3, 8), 9, np.int8)
    copy = bind_copy(room[:, 4:], source)
    source[...] = np.arange(12).reshape(3, 4)
    copy()
    assert room[:, 4:].tolist() == source.tolist()
    assert (room[:, :4] == 9).all()


@pytest.mark.parametrize("width", [2, 3, 4, 8, 16])
def test_several_copies_are_made_in_one_call(width: int) -> None:
    whole = _values((6, 2 * width), "i1")
    left, right = np.zeros((6, width), np.int8), np.zeros((6, width), np.int8)
    bind_copies([(left, whole[:, :width]), (right, whole[:, width:])])()
    assert np.concatenate([left, right], axis=1).tolist() == whole.tolist()
