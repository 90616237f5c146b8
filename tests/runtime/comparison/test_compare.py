"""Comparisons from beginning to end: the operator with a planted defect is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.graphs import Call, Graph, model_of
from tests.support.planted import DEFECTIVE, with_changed_weight
from tests.support.single_op import SingleOp, constant, fed, needs_litert, needs_tflm, variable
from tinyml_runtime.comparison.compare import Against, Comparison, Conditions
from tinyml_runtime.comparison.metrics import FLOAT_TOLERANCE
from tinyml_runtime.errors import InputError
from tinyml_runtime.kernels import REFERENCE
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.options import SVDFOptions
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model.write import write_model
from tinyml_runtime.registration import EvalContext, Node
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator

EXAMPLES = Path(__file__).parents[3] / "examples"
DIGITS = load_model(EXAMPLES / "digits.tflite")
LAYERS = Conditions(layers=True)


def _samples(comparison: Comparison, count: int) -> list[Array]:
    generator = np.random.default_rng(0)
    return [
        generator.integers(-128, 128, (count, *tensor.shape)).astype(tensor.dtype)
        for tensor in comparison.inputs
    ]


def _compare(
    model: Model, against: Against, conditions: Conditions = LAYERS, count: int = 5
) -> Comparison:
    comparison = Comparison(model, write_model(model), against, conditions)
    try:
        comparison.add(_samples(comparison, count))
    finally:
        comparison.close()
    return comparison


def _injecting(comparison: Comparison) -> list[int]:
    layers = comparison.layers()
    assert layers is not None
    return [layer.node.index for layer in layers if layer.injects(FLOAT_TOLERANCE)]


def test_a_defect_in_a_kernel_is_found_at_its_operator() -> None:
    comparison = _compare(DIGITS, Against("defective", library=DEFECTIVE))
    assert _injecting(comparison) == [4]
    layers = comparison.layers() or []
    injected, inherited = layers[4].injected, layers[5].inherited
    assert injected is not None
    assert inherited is not None
    assert (injected.elements, injected.mismatched, injected.max_steps) == (2560, 5, 1)
    assert inherited.mismatched > 0


def test_our_own_side_can_be_the_defective_one() -> None:
    conditions = Conditions(library=DEFECTIVE, layers=True)
    assert _injecting(_compare(DIGITS, Against("reference"), conditions)) == [4]


@pytest.mark.parametrize("node", [0, 5, 8])
def test_a_changed_weight_is_found_at_its_operator(node: int) -> None:
    other = with_changed_weight(DIGITS, node)
    comparison = _compare(DIGITS, Against("other", model=other))
    assert _injecting(comparison) == [node]
    assert "by name and shape" in comparison.notes[-1]


@pytest.mark.parametrize("is_ours", [False, True])
def test_a_cause_says_which_side_departs_from_tflm(is_ours: bool) -> None:
    one, other = "reference", "reference:single-rounding"
    ours, theirs = (other, one) if is_ours else (one, other)
    conditions = Conditions(library=ours, layers=True)
    comparison = _compare(DIGITS, Against(theirs, library=theirs), conditions)
    found = [layer.findings for layer in comparison.layers() or [] if layer.findings]
    assert found
    for findings in found:
        (cause,) = findings.causes
        assert (cause.name, findings.unexplained) == ("single-rounding", 0)
        assert cause.words.startswith("reference:single-rounding rounds")


def test_a_library_beside_itself_is_identical() -> None:
    comparison = _compare(DIGITS, Against("cmsis-nn", library="cmsis-nn"))
    assert _injecting(comparison) == []
    assert all(output.difference.is_identical for output in comparison.outputs())
    assert [output.top1_agreement for output in comparison.outputs()] == [1.0]


def test_a_float_model_is_matched_by_its_real_values() -> None:
    other = load_model(EXAMPLES / "digits_float.tflite")
    comparison = _compare(DIGITS, Against("float", model=other))
    output = comparison.outputs()[0]
    assert output.difference.cosine == pytest.approx(1, abs=0.05)
    layers = comparison.layers() or []
    assert len(layers) == 10
    assert all(layer.inherited is not None for layer in layers)
    # What rearranges or picks makes no error of its own, even beside floats.
    by_name = {layer.node.operator: layer.injected for layer in layers}
    for name in ("RESHAPE", "MAX_POOL_2D"):
        injected = by_name[name]
        assert injected is not None
        assert injected.mismatched == 0


def test_tensors_without_a_common_name_are_matched_by_position() -> None:
    graph = DIGITS.subgraphs[0]
    renamed = tuple(replace(t, name=f"x{k}") for k, t in enumerate(graph.tensors))
    other = replace(DIGITS, subgraphs=(replace(graph, tensors=renamed),))
    comparison = _compare(DIGITS, Against("other", model=with_changed_weight(other, 5)))
    assert _injecting(comparison) == [5]
    assert "0 by name and shape, 10 by position" in comparison.notes[-1]


def test_models_with_other_inputs_cannot_be_compared() -> None:
    sine = load_model(EXAMPLES / "sine.tflite")
    with pytest.raises(InputError, match=r"input 0 .* has shape \[1, 8, 8, 1\].* \[1, 1\]"):
        Comparison(DIGITS, b"", Against("sine", model=sine), LAYERS)
    one = fed((1, 8, 8, 1), np.float32)
    add = SingleOp(BuiltinOperator.ADD, [one, one], [one]).model()
    with pytest.raises(InputError, match="different inputs: 1 in"):
        Comparison(DIGITS, b"", Against("add", model=add), LAYERS)


def test_parts_of_the_samples_give_what_all_together_do() -> None:
    whole = _compare(DIGITS, Against("defective", library=DEFECTIVE), count=6)
    parts = Comparison(DIGITS, b"", Against("defective", library=DEFECTIVE), LAYERS)
    samples = _samples(parts, 6)
    for start in (0, 4):
        parts.add([array[start : start + 4] for array in samples])
    layers = zip(whole.layers() or [], parts.layers() or [], strict=True)
    for one, other in layers:
        assert one.injected is not None
        assert other.injected is not None
        assert one.injected.histogram == other.injected.histogram
        assert one.injected.sqnr_db == pytest.approx(other.injected.sqnr_db)


def _svdf() -> Model:
    weights = np.ones((1, 1), np.float32), np.ones((1, 2), np.float32), np.zeros(1, np.float32)
    return SingleOp(
        BuiltinOperator.SVDF,
        [
            fed((1, 1), np.float32),
            *(constant(values) for values in weights),
            variable((1, 2), np.float32, 0),
        ],
        [fed((1, 1), np.float32)],
        SVDFOptions(rank=1),
    ).model()


@pytest.mark.parametrize("reset", [False, True])
def test_state_is_kept_alike_where_an_operator_is_run_alone(reset: bool) -> None:
    conditions = Conditions(layers=True, reset_between=reset)
    comparison = Comparison(_svdf(), b"", Against("cmsis-nn", library="cmsis-nn"), conditions)
    inputs = np.arange(1, 5, dtype=np.float32).reshape(4, 1, 1)
    ours, _ = comparison.add([inputs])
    assert ours[0].reshape(-1).tolist() == ([1, 2, 3, 4] if reset else [1, 3, 5, 7])
    assert _injecting(comparison) == []


def _one_more(context: EvalContext, node: Node, data: object) -> None:
    svdf = REFERENCE.find("SVDF")
    assert svdf is not None
    svdf.evaluate(context, node, data)
    context.output(node, 0).values[...] += 1


@pytest.mark.parametrize(("reset", "examined"), [(False, 1), (True, 4)])
def test_causes_are_sought_where_the_state_is_known(reset: bool, examined: int) -> None:
    svdf = REFERENCE.find("SVDF")
    assert svdf is not None
    library = KernelLibrary("more", {"SVDF": replace(svdf, evaluate=_one_more)})
    conditions = Conditions(layers=True, reset_between=reset)
    comparison = Comparison(_svdf(), b"", Against("more", library=library), conditions)
    inputs = np.arange(1, 5, dtype=np.float32).reshape(4, 1, 1)
    comparison.add([inputs[:2]])
    comparison.add([inputs[2:]])
    (layer,) = comparison.layers() or []
    assert layer.injected is not None
    assert layer.findings is not None
    assert (layer.injected.mismatched, layer.findings.examined) == (4, examined)


def _not_a_number(context: EvalContext, node: Node, data: object) -> None:
    context.output(node, 0).values[...] = np.nan


def test_nan_is_counted_and_never_identical() -> None:
    one = fed((1, 4), np.float32)
    call = Call(BuiltinOperator.NEG, ["x"], ["y"])
    model = model_of(Graph({"x": one, "y": one}, ["x"], ["y"], [call]))
    neg = REFERENCE.find("NEG")
    assert neg is not None
    library = KernelLibrary("nan", {"NEG": replace(neg, evaluate=_not_a_number)})
    found = _compare(model, Against("nan", library=library)).outputs()[0].difference
    assert (found.nan_theirs, found.nan_ours, found.mismatched) == (20, 0, 20)
    both = Conditions(library=library, layers=True)
    found = _compare(model, Against("nan", library=library), both).outputs()[0].difference
    assert (found.nan_both, found.is_identical) == (20, False)


@pytest.mark.oracle
@needs_tflm
def test_every_operator_of_an_example_gives_what_tflm_gives() -> None:
    comparison = _compare(DIGITS, Against("tflm", foreign="tflm"))
    layers = comparison.layers()
    assert layers is not None
    for layer in layers:
        assert layer.inherited is not None
        assert layer.injected is not None
        assert layer.inherited.is_identical
        assert layer.injected.is_identical
    assert comparison.notes == []


@pytest.mark.oracle
@needs_tflm
def test_a_tensor_may_be_several_outputs() -> None:
    graph = DIGITS.subgraphs[0]
    twice = replace(DIGITS, subgraphs=(replace(graph, outputs=(22, 23, 22)),))
    comparison = _compare(twice, Against("tflm", foreign="tflm"))
    assert [output.tensor.index for output in comparison.outputs()] == [22, 23, 22]
    assert all(output.difference.is_identical for output in comparison.outputs())


@pytest.mark.oracle
@needs_tflm
def test_a_defect_of_ours_is_found_beside_tflm() -> None:
    conditions = Conditions(library=DEFECTIVE, layers=True)
    assert _injecting(_compare(DIGITS, Against("tflm", foreign="tflm"), conditions)) == [4]


@pytest.mark.oracle
@needs_litert
@pytest.mark.parametrize("name", ["tflite", "tflite-ref"])
def test_litert_gives_its_values_between_operators_and_the_same_outputs(name: str) -> None:
    comparison = _compare(DIGITS, Against(name, foreign=name))
    layers = comparison.layers()
    assert layers is not None
    assert all(layer.injected is not None for layer in layers)
    assert comparison.notes == []
    # An element off by one step may tip a rounding in the layers behind, no more.
    assert max(layer.injected.max_steps or 0 for layer in layers if layer.injected) <= 1
