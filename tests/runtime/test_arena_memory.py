"""Runs inside a planned arena: the same results, and plans that cannot be are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conformance.cases import Case
from tests.conformance.cases_custom import CASES as CUSTOM
from tests.conformance.cases_graphs import CASES as GRAPHS
from tests.conformance.cases_recurrent import CASES as RECURRENT
from tests.conformance.cases_signal import CASES as SIGNAL
from tests.support.corpus import corpus_models, needs_corpus
from tests.support.graphs import Call, Graph, loaded, model_of
from tests.support.in_arena import (
    assert_same_in_arena,
    invoke,
    plan,
    prepared_in_arena,
    random_steps,
)
from tests.support.single_op import SingleOp, fed
from tinyml_runtime.arena_memory import PATTERN
from tinyml_runtime.errors import ModelError, PlanError, UnsupportedModelError
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.memory.linear_planner import LinearPlanner
from tinyml_runtime.memory.offline_plan import METADATA, encode
from tinyml_runtime.memory.optimal_planner import OptimalPlanner
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.options import AddOptions
from tinyml_runtime.model.schema import Model
from tinyml_runtime.types import BuiltinOperator as Op

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.tflite"))
LARGEST_CORPUS_FILE = 3_000_000
# Every operator with state, scratch buffers or subgraphs, in a few of its many cases.
SAMPLED = [
    case
    for case in (*GRAPHS, *RECURRENT[::8], *SIGNAL[::8], *CUSTOM[::8])
    if case.operator != "SignalEnergy"  # writes a part of its output, the rest is what was there
]
FLOATS = fed((4,), np.float32)


def _chain(offsets: list[int | None] | None = None) -> Model:
    """Three additions, one after another: x + x, that + x, that + that."""
    names = ["x", "a", "b", "y"]
    calls = [
        Call(Op.ADD, ["x", "x"], ["a"], AddOptions()),
        Call(Op.ADD, ["a", "x"], ["b"], AddOptions()),
        Call(Op.ADD, ["b", "b"], ["y"], AddOptions()),
    ]
    metadata = {} if offsets is None else {METADATA: encode(offsets)}
    return loaded(
        model_of(Graph(dict.fromkeys(names, FLOATS), ["x"], ["y"], calls), metadata=metadata)
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_the_same_inside_its_arena(path: Path) -> None:
    assert_same_in_arena(load_model(path))


@pytest.mark.parametrize("case", SAMPLED, ids=lambda case: case.name)
def test_state_scratch_buffers_and_subgraphs_work_inside_the_arena(case: Case) -> None:
    model = load_model(case.data)
    if not model.subgraphs[0].outputs:
        return
    assert_same_in_arena(model, case.feeds)


@pytest.mark.parametrize("planner", [LinearPlanner(), OptimalPlanner(1.0)], ids=lambda p: p.name)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_any_planner_will_do(path: Path, planner: LinearPlanner | OptimalPlanner) -> None:
    model = load_model(path)
    assert_same_in_arena(model, arena=plan(model, planner))


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [path for path in corpus_models() if path.stat().st_size <= LARGEST_CORPUS_FILE],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_a_public_model_gives_the_same_inside_its_arena(path: Path) -> None:
    try:
        model = load_model(path)
        Interpreter(model).allocate_tensors()
    except (ModelError, UnsupportedModelError):
        return  # refused, in an arena or without
    assert_same_in_arena(model)


def test_tensors_share_memory_and_lie_where_the_plan_says() -> None:
    model = _chain()
    arena = plan(model)
    interpreter = prepared_in_arena(model, arena)
    addresses = [interpreter.tensor(k).values.ctypes.data for k in range(4)]
    base = addresses[0] - arena.plan.offsets[0]
    assert base % 64 == 0
    assert [address - base for address in addresses] == list(arena.plan.offsets)
    assert len(set(addresses)) < 4


def test_memory_begins_with_a_pattern_not_with_zeros() -> None:
    interpreter = prepared_in_arena(_chain())
    assert interpreter.input(0).tobytes() == bytes([PATTERN] * 16)


def test_an_invocation_may_use_the_memory_of_its_inputs() -> None:
    # y does not overlap x in time and takes its place.
    interpreter = prepared_in_arena(_chain(offsets=[0, 16, 32, 0]))
    interpreter.set_input(np.ones(4, np.float32))
    interpreter.invoke()
    assert interpreter.input(0).tolist() == [6.0] * 4


def test_a_batch_sets_its_inputs_for_every_sample() -> None:
    interpreter = prepared_in_arena(_chain(offsets=[0, 16, 32, 0]))
    samples = np.arange(12, dtype=np.float32).reshape(3, 4)
    (outputs,) = interpreter.invoke_batch([samples])
    assert outputs.tolist() == (6 * samples).tolist()


@pytest.mark.parametrize("offsets", [[0, 8, 32, 48], [0, 16, 16, 32], [16, 32, 24, 0]])
def test_a_plan_of_the_file_that_lets_live_tensors_overlap_is_refused(
    offsets: list[int | None],
) -> None:
    model = _chain(offsets)
    arena = plan(model)
    with pytest.raises(PlanError, match=r"overlap .* subgraph 0, tensor \d at \d+\.\.\d+"):
        Interpreter(model, arena_plan=arena)


@pytest.mark.parametrize("offsets", [[1, 17, 33, 1], [4, 20, 36, 4]])
def test_a_plan_of_the_file_need_not_be_aligned(offsets: list[int | None]) -> None:
    assert_same_in_arena(_chain(offsets))


def test_a_plan_for_another_model_is_refused() -> None:
    other = SingleOp(Op.ADD, [FLOATS, FLOATS], [fed((4,), np.int32)], AddOptions()).model()
    interpreter = Interpreter(_chain(), arena_plan=plan(_chain()))
    interpreter.allocate_tensors()
    small = model_of(Graph({"x": fed((2,), np.float32)}, ["x"], ["x"]))
    for model in (small, replace(other, subgraphs=(replace(other.subgraphs[0], operators=()),))):
        wrong = Interpreter(model, arena_plan=plan(_chain()))
        with pytest.raises(PlanError, match="for another model"):
            wrong.allocate_tensors()


def test_variable_tensors_with_an_offset_keep_their_state() -> None:
    case = next(case for case in RECURRENT if case.operator == "SVDF")
    bare = load_model(case.data)
    tensors = bare.subgraphs[0].tensors
    place = {k: 4096 if tensor.is_variable else None for k, tensor in enumerate(tensors)}
    model = _with_offsets(bare, [place[k] for k in range(len(tensors))])
    assert any(buffer.request.offset == 4096 for buffer in plan(model).buffers)
    inside, apart = prepared_in_arena(model), Interpreter(bare)
    apart.allocate_tensors()
    for feeds in random_steps(bare, 4):
        assert invoke(inside, feeds) == invoke(apart, feeds)


def _with_offsets(model: Model, offsets: list[int | None]) -> Model:
    from tinyml_runtime.model.schema import Buffer, Metadata

    entry = Metadata(METADATA, len(model.buffers))
    buffers = (*model.buffers, Buffer(encode(offsets)))
    return replace(model, metadata=(*model.metadata, entry), buffers=buffers)
