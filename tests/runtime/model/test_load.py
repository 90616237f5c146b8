"""What the loader accepts, and what it says about files that it refuses."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.corpus import corpus_model, corpus_models, needs_corpus
from tests.support.sample_models import model_with_every_part, tiny_model
from tinyml_runtime.errors import InputError, ModelError
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.options import CallOnceOptions, Conv2DOptions, IfOptions, WhileOptions
from tinyml_runtime.model.options_table import Options
from tinyml_runtime.model.schema import (
    BlockwiseQuantization,
    Buffer,
    ExternalBuffer,
    Metadata,
    Model,
    Operator,
    Quantization,
    Signature,
    Sparsity,
    SubGraph,
    TensorInfo,
    TensorMap,
)
from tinyml_runtime.model.write import write_model
from tinyml_runtime.types import BuiltinOperator, TensorType

WEIGHTS = 1


def with_tensor(index: int = WEIGHTS, **changes: Any) -> Model:
    """The tiny model with one tensor changed."""
    model = tiny_model()
    tensors = list(model.subgraphs[0].tensors)
    tensors[index] = replace(tensors[index], **changes)
    return with_subgraph(tensors=tuple(tensors))


def with_operator(**changes: Any) -> Model:
    """The tiny model with its operator changed."""
    operator = replace(tiny_model().subgraphs[0].operators[0], **changes)
    return with_subgraph(operators=(operator,))


def with_subgraph(**changes: Any) -> Model:
    """The tiny model with its subgraph changed."""
    model = tiny_model()
    return replace(model, subgraphs=(replace(model.subgraphs[0], **changes),))


def calling(options: Options) -> SubGraph:
    return replace(tiny_model().subgraphs[0], operators=(Operator(options=options),))


def refusal(model: Model) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load_model(write_model(model), "some.tflite")
    return caught.value


def test_loads_a_path_as_text_or_as_an_object(tmp_path: Path) -> None:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(write_model(tiny_model()))
    assert load_model(str(path)) == load_model(path) == tiny_model()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_loads_bytes(kind: Callable[[bytes], bytes | bytearray | memoryview]) -> None:
    assert load_model(kind(write_model(tiny_model()))) == tiny_model()


def test_the_model_does_not_change_with_the_bytes_that_it_came_from() -> None:
    data = bytearray(write_model(tiny_model()))
    model = load_model(data)
    data[:] = bytes(len(data))
    assert model == tiny_model()


def test_the_source_is_the_path_or_the_name_that_is_given(tmp_path: Path) -> None:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(write_model(tiny_model()))
    assert load_model(path).source == str(path)
    assert load_model(path, "mine").source == "mine"
    assert load_model(path.read_bytes()).source == "<bytes>"


def test_buffers_are_views_and_not_copies() -> None:
    buffer = load_model(write_model(tiny_model())).buffers[1]
    assert isinstance(buffer.data, memoryview)
    assert buffer.data.readonly


def test_a_file_that_does_not_exist_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.tflite: no such file"):
        load_model(tmp_path / "gone.tflite")


def test_a_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        load_model(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "secret.tflite"
    path.write_bytes(write_model(tiny_model()))
    path.chmod(0)
    with pytest.raises(InputError, match=r"secret\.tflite"):
        load_model(path)


def test_a_path_that_no_system_takes_is_an_input_error() -> None:
    with pytest.raises(InputError):
        load_model("null\0.tflite")


def test_an_empty_file_is_named_as_such() -> None:
    with pytest.raises(ModelError, match=r"^some\.tflite: the file is empty$"):
        load_model(b"", "some.tflite")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "JPEG"),
        (b"GIF89a" + bytes(40), "GIF"),
        (b"PK\x03\x04" + bytes(40), "ZIP"),
        (b"\x1f\x8b\x08" + bytes(40), "gzip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        (b"\x08\x08\x12\x07pytorch" + bytes(40), "ONNX"),
        (b"\x08\x01\x12\xe4" + bytes(40), "SavedModel"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12", "git lfs pull"),
        (b"<!DOCTYPE html><html>" + bytes(40), "web page"),
        (b"unsigned char model[] = {\n  0x1c, 0x00, 0x00,", "C source text"),
        (b"alignas(8) const unsigned char g_model[kLen] = {0x1c,0x00,", "C source text"),
        (b"#include <x.h>\nconst unsigned char m[20] DATA_ALIGN = {0x1C, 0x00", "C source text"),
        (b"nothing that anybody would know", "not b'TFL3'"),
    ],
)
def test_a_foreign_file_is_called_what_it_is(data: bytes, what: str) -> None:
    with pytest.raises(ModelError, match=what):
        load_model(data)


def test_a_missing_identifier_is_no_defect_of_a_sound_file() -> None:
    data = bytearray(write_model(tiny_model()))
    data[4:8] = bytes(4)
    assert load_model(data) == tiny_model()


@pytest.mark.parametrize("version", [0, 1, 2, 4])
def test_another_schema_version_is_a_defect(version: int) -> None:
    error = refusal(replace(tiny_model(), version=version))
    assert f"schema version {version} is not 3" in error.reason


def test_a_model_without_subgraph_is_a_defect() -> None:
    assert "no subgraph" in refusal(replace(tiny_model(), subgraphs=())).reason


def test_a_model_without_buffers_gets_the_empty_one() -> None:
    tensors = tuple(replace(tensor, buffer=0) for tensor in tiny_model().subgraphs[0].tensors)
    model = replace(with_subgraph(tensors=tensors), buffers=())
    assert load_model(write_model(model)).buffers == (Buffer(),)


OPERATOR = "subgraph 0, operator 0"


@pytest.mark.parametrize(
    ("model", "place", "reason"),
    [
        (with_subgraph(inputs=(4,)), "subgraph 0", "input tensor 4 does not exist (there are 4)"),
        (with_subgraph(inputs=(-1,)), "subgraph 0", "input tensor -1"),
        (with_subgraph(outputs=(3, 9)), "subgraph 0", "output tensor 9"),
        (with_operator(inputs=(0, -2)), OPERATOR, "input tensor -2"),
        (with_operator(inputs=(0, 4)), OPERATOR, "input tensor 4"),
        (with_operator(outputs=(-1,)), OPERATOR, "output tensor -1"),
        (with_operator(intermediates=(4,)), OPERATOR, "intermediate tensor 4"),
        (with_operator(opcode_index=1), OPERATOR, "operator code 1 does not exist"),
        (with_operator(options=IfOptions(5, 0)), OPERATOR, "called subgraph 5"),
        (with_operator(options=WhileOptions(0, -1)), OPERATOR, "called subgraph -1"),
        (with_operator(options=CallOnceOptions(1)), OPERATOR, "called subgraph 1"),
        (with_tensor(buffer=3), "subgraph 0, tensor 1", "buffer 3 does not exist"),
        (with_tensor(external_buffer=2), "subgraph 0, tensor 1", "external buffer 2"),
        (replace(tiny_model(), metadata=(Metadata("a", 3),)), "metadata 0", "buffer 3"),
        (replace(tiny_model(), metadata_buffers=(-1,)), "", "metadata buffer -1"),
        (replace(tiny_model(), signatures=(Signature("s", 1),)), "signature 0", "subgraph 1"),
        (
            replace(tiny_model(), signatures=(Signature("s", 0, (TensorMap("t", 4),)),)),
            "signature 0",
            "input tensor 4",
        ),
        (
            replace(tiny_model(), external_buffers=(ExternalBuffer(1, 0),)),
            "external buffer 0",
            "external buffer group 0",
        ),
    ],
)
def test_an_index_of_nothing_is_a_defect_with_its_place(
    model: Model, place: str, reason: str
) -> None:
    error = refusal(model)
    assert (error.source, error.place) == ("some.tflite", place)
    assert reason in error.reason


def test_an_absent_optional_input_is_no_defect() -> None:
    model = with_operator(inputs=(0, 1, -1))
    assert load_model(write_model(model)) == model


def test_a_negative_size_is_a_defect() -> None:
    error = refusal(with_tensor(shape=(-1, 4)))
    assert str(error) == (
        "some.tflite: subgraph 0, tensor 1: the shape [-1, 4] has a negative size"
    )


def test_a_negative_size_of_a_tensor_that_nothing_uses_is_no_defect() -> None:
    tensors = (*tiny_model().subgraphs[0].tensors, TensorInfo("left over", shape=(-1,)))
    model = with_subgraph(tensors=tensors)
    assert load_model(write_model(model)) == model


def test_minus_one_in_the_shape_signature_is_no_defect() -> None:
    model = with_tensor(0, shape_signature=(-1, 4))
    assert load_model(write_model(model)) == model


@pytest.mark.parametrize(
    "shape", [(2**31 - 1,) * 3, (2**31 - 1,) * 3 + (0,), (2**31 - 1,) * 20_000]
)
def test_a_shape_beyond_any_memory_is_a_defect(shape: tuple[int, ...]) -> None:
    assert "more elements than any memory" in refusal(with_tensor(0, shape=shape)).reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shape": (10, 4)}, "buffer 1 holds 8 bytes, the tensor needs 40"),
        ({"type": TensorType.INT16}, "buffer 1 holds 8 bytes, the tensor needs 16"),
        ({"shape": (17,), "type": TensorType.INT4}, "buffer 1 holds 8 bytes, the tensor needs 9"),
    ],
)
def test_a_buffer_too_short_for_its_tensor_is_a_defect(
    changes: dict[str, Any], reason: str
) -> None:
    error = refusal(with_tensor(quantization=None, **changes))
    assert (error.place, error.reason) == ("subgraph 0, tensor 1", reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": (4,)},
        {"shape": (16,), "type": TensorType.INT4},
        {"shape": (10, 4), "type": TensorType.STRING},
        {"shape": (10, 4), "sparsity": Sparsity()},
        {"shape": (10, 4), "buffer": 0},
        {"shape": (0, 4)},
    ],
)
def test_a_buffer_long_enough_or_of_no_fixed_length_is_no_defect(changes: dict[str, Any]) -> None:
    model = with_tensor(quantization=None, **changes)
    assert load_model(write_model(model)) == model


def test_buffers_of_a_compressed_model_may_be_short() -> None:
    model = replace(with_tensor(shape=(2, 40)), metadata=(Metadata("COMPRESSION_METADATA", 1),))
    assert load_model(write_model(model)) == model


@pytest.mark.parametrize(
    ("quantization", "reason"),
    [
        (Quantization((0.5,) * 3, (0,) * 3), "3 scales do not fit dimension 0 of shape [2, 4]"),
        (Quantization((0.5,) * 2, (0,) * 2, 1), "2 scales do not fit dimension 1"),
        (Quantization((0.5,) * 3, (0,) * 3, 7), "3 scales do not fit dimension 7"),
        (Quantization((0.5,) * 3, (0,) * 3, -1), "3 scales do not fit dimension -1"),
        (Quantization((0.5,), (0, 0)), "2 zero points for 1 scales"),
        (Quantization((0.5, 0.5), (0, 0, 0)), "3 zero points for 2 scales"),
        (Quantization((float("nan"),), (0,)), "a scale is not a finite number"),
        (Quantization((float("inf"),), (0,)), "a scale is not a finite number"),
        (Quantization(details=BlockwiseQuantization(4)), "scale tensor 4 does not exist"),
        (Quantization(details=BlockwiseQuantization(2, -2)), "zero point tensor -2"),
    ],
)
def test_quantization_that_does_not_fit_its_tensor_is_a_defect(
    quantization: Quantization, reason: str
) -> None:
    error = refusal(with_tensor(quantization=quantization))
    assert error.place == "subgraph 0, tensor 1"
    assert reason in error.reason


@pytest.mark.parametrize(
    "quantization",
    [
        Quantization(),
        Quantization(minimum=(0.0,), maximum=(1.0,)),
        Quantization((0.5,), (3,), 9),
        Quantization((0.5,) * 2, (0,)),
        Quantization((0.5,) * 2, (0,) * 2, 3),
        Quantization((0.5,) * 4, (0,) * 4, 1),
    ],
)
def test_quantization_as_converters_write_it_is_no_defect(quantization: Quantization) -> None:
    model = with_tensor(quantization=quantization)
    assert load_model(write_model(model)) == model


@pytest.mark.parametrize("called", [0, 1])
def test_a_subgraph_that_calls_itself_is_a_defect(called: int) -> None:
    subgraphs = (
        calling(IfOptions(1, 2)),
        calling(CallOnceOptions(called)),
        calling(IfOptions(3, 3)),
    )
    model = replace(tiny_model(), subgraphs=(*subgraphs, calling(Conv2DOptions())))
    error = refusal(model)
    assert (error.place, error.reason) == (f"subgraph {called}", "the subgraph calls itself")


def test_operators_of_both_option_unions_load() -> None:
    assert load_model(write_model(model_with_every_part())) == model_with_every_part()


@pytest.mark.parametrize(
    ("deprecated", "wide", "builtin"),
    [
        (9, 0, BuiltinOperator.FULLY_CONNECTED),
        (9, 9, BuiltinOperator.FULLY_CONNECTED),
        (127, 150, BuiltinOperator.GELU),
        (0, 4, BuiltinOperator.DEPTHWISE_CONV_2D),
    ],
)
def test_both_fields_of_the_operator_code_count(
    deprecated: int, wide: int, builtin: BuiltinOperator
) -> None:
    code = replace(
        tiny_model().operator_codes[0], deprecated_builtin_code=deprecated, builtin_code=wide
    )
    model = load_model(write_model(replace(tiny_model(), operator_codes=(code,))))
    assert model.operator_codes[0].builtin is builtin


def test_a_file_cut_short_says_so() -> None:
    data = write_model(tiny_model())
    with pytest.raises(ModelError, match="outside the file"):
        load_model(data[: len(data) // 2])


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("path", corpus_models(), ids=lambda path: path.stem)
def test_every_model_of_the_corpus_loads(path: Path) -> None:
    assert load_model(path).subgraphs


@needs_corpus
def test_reads_a_real_model() -> None:
    model = load_model(corpus_model("tflm/person_detect"))
    subgraph = model.subgraphs[0]
    assert len(subgraph.operators) == 31
    assert subgraph.tensors[subgraph.inputs[0]].shape == (1, 96, 96, 1)
    assert [model.code(operator).name for operator in subgraph.operators][-1] == "SOFTMAX"
