"""Builtin options: every class of both unions, its defaults and its way through a file."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sample_models import tiny_model
from tinyml_runtime.model.builder import TableBuilder, scalar
from tinyml_runtime.model.flatbuffer import Defect, FlatBuffer
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.options import (
    AddOptions,
    Conv2DOptions,
    MulOptions,
    ResizeBilinearOptions,
    SoftmaxOptions,
    UnidirectionalSequenceLSTMOptions,
)
from tinyml_runtime.model.options_empty import AbsOptions, NegOptions
from tinyml_runtime.model.options_other import BidirectionalSequenceLSTMOptions
from tinyml_runtime.model.options_table import (
    BUILTIN_OPTIONS,
    BUILTIN_OPTIONS_2,
    Options,
    options_class,
)
from tinyml_runtime.model.options_wire import layout, read_options, write_options
from tinyml_runtime.model.write import write_model
from tinyml_runtime.types import Activation, Padding, TensorType

NAMES = (*BUILTIN_OPTIONS[1:], *BUILTIN_OPTIONS_2[1:])
_RANGES = {"b": (-128, 127), "i": (-(2**31), 2**31 - 1), "I": (0, 2**32 - 1)}


def through_a_model(options: Options) -> Options | None:
    model = tiny_model()
    operator = replace(model.subgraphs[0].operators[0], options=options)
    main = replace(model.subgraphs[0], operators=())
    other = replace(main, operators=(operator,))
    file = write_model(replace(model, subgraphs=(main, other)))
    return load_model(file).subgraphs[1].operators[0].options


def through_a_table(options: Options) -> Options:
    to = TableBuilder()
    file = to.finish(write_options(to, options), b"TEST")
    return read_options(FlatBuffer(file).root(), type(options).__name__)


def values_of(code: str, default: Any) -> st.SearchStrategy[Any]:
    if isinstance(default, IntEnum):
        return st.sampled_from(list(type(default)))
    if code == "s":
        return st.text(max_size=8)
    if code == "[B]":
        return st.binary(max_size=8)
    if code[0] == "[":
        return st.lists(values_of(code[1], None), max_size=4).map(tuple)
    if code == "?":
        return st.booleans()
    if code == "f":
        return st.floats(width=32, allow_nan=False)
    low, high = _RANGES.get(code, (-(2**63), 2**63 - 1))
    return st.integers(low, high)


def options_of(cls: type[Options]) -> st.SearchStrategy[Options]:
    values = {name: values_of(code, default) for _, code, name, default in layout(cls)}
    return st.builds(cls, **values)


def test_the_unions_have_the_members_of_the_schema() -> None:
    assert (len(BUILTIN_OPTIONS), len(BUILTIN_OPTIONS_2)) == (127, 24)


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "Conv2DOptions"), (11, "AddOptions"), (17, "ReshapeOptions"), (126, "RightShiftOptions")],
)
def test_a_union_number_stands_for_the_schemas_table(number: int, name: str) -> None:
    assert BUILTIN_OPTIONS[number] == name


@pytest.mark.parametrize("name", NAMES)
def test_every_member_of_a_union_has_a_class_that_can_be_made_without_values(name: str) -> None:
    assert isinstance(options_class(name)(), Options)


@pytest.mark.parametrize("name", NAMES)
def test_every_class_survives_a_model_with_its_defaults(name: str) -> None:
    options = options_class(name)()
    assert through_a_model(options) == options


@given(st.sampled_from(NAMES).flatmap(lambda name: options_of(options_class(name))))
def test_every_value_survives_a_table(options: Options) -> None:
    assert through_a_table(options) == options


def test_options_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        AddOptions().pot_scale_int16 = False  # pyright: ignore[reportAttributeAccessIssue]


def test_options_with_equal_fields_of_other_tables_differ() -> None:
    assert AbsOptions() != NegOptions()
    assert AddOptions() != MulOptions()
    assert Conv2DOptions(stride_w=1) != Conv2DOptions(stride_w=2)


def test_equal_options_have_equal_hashes() -> None:
    assert hash(Conv2DOptions(stride_w=2)) == hash(Conv2DOptions(stride_w=2))


def test_options_show_their_fields() -> None:
    assert repr(SoftmaxOptions(beta=1.0)) == "SoftmaxOptions(beta=1.0)"


@pytest.mark.parametrize(
    ("options", "field", "default"),
    [
        (Conv2DOptions(), "dilation_w_factor", 1),
        (Conv2DOptions(), "padding", Padding.SAME),
        (Conv2DOptions(), "fused_activation", Activation.NONE),
        (Conv2DOptions(), "quantized_bias_type", TensorType.FLOAT32),
        (AddOptions(), "pot_scale_int16", True),
        (BidirectionalSequenceLSTMOptions(), "time_major", True),
        (UnidirectionalSequenceLSTMOptions(), "time_major", False),
    ],
)
def test_defaults_are_those_of_the_schema(options: Options, field: str, default: object) -> None:
    assert getattr(options, field) == default


def test_slots_that_the_schema_abandoned_are_skipped() -> None:
    assert [slot for slot, *_ in layout(ResizeBilinearOptions)] == [2, 3]


def test_an_unknown_enumerator_is_a_defect() -> None:
    to = TableBuilder()
    file = to.finish(to.table(scalar("b", 77)), b"TEST")
    with pytest.raises(Defect, match="mode 77"):
        read_options(FlatBuffer(file).root(), "MirrorPadOptions")


@pytest.mark.parametrize("name", NAMES)
def test_every_class_gives_each_of_its_fields_one_slot(name: str) -> None:
    cls = options_class(name)
    assert [entry[2] for entry in layout(cls)] == [field.name for field in fields(cls)]


def test_options_are_copied_and_pickled_whole() -> None:
    options = Conv2DOptions(stride_w=2, stride_h=3)
    for again in (copy.deepcopy(options), pickle.loads(pickle.dumps(options))):
        assert again == options
        assert again is not options


@pytest.mark.parametrize(
    "values", [((1.0, 2.0), {}), ((1.0,), {"beta": 2.0}), ((), {"alpha": 1.0})], ids=str
)
def test_options_refuse_fields_that_they_do_not_have_or_were_given(values: Any) -> None:
    ordered, named = values
    with pytest.raises(TypeError, match="SoftmaxOptions has"):
        SoftmaxOptions(*ordered, **named)
