"""Plans that a model carries: read as TFLM reads them, every defect told."""

from __future__ import annotations

import struct

import pytest

from tinyml_runtime.errors import ModelError
from tinyml_runtime.memory.offline_plan import METADATA, encode, has_offline_plan, offline_offsets
from tinyml_runtime.model.schema import Buffer, Metadata, Model, SubGraph, TensorInfo


def _model(data: bytes, *, name: str = METADATA) -> Model:
    graphs = SubGraph(tensors=(TensorInfo(),) * 2), SubGraph(tensors=(TensorInfo(),))
    metadata = (Metadata(name, 1),)
    return Model(
        subgraphs=graphs, buffers=(Buffer(), Buffer(data)), metadata=metadata, source="it.tflite"
    )


def test_offsets_of_all_subgraphs_follow_each_other() -> None:
    model = _model(struct.pack("<6i", 1, 0, 3, 0, -1, 64))
    assert has_offline_plan(model)
    assert offline_offsets(model) == [[0, None], [64]]


def test_what_is_written_is_read() -> None:
    assert offline_offsets(_model(encode([16, None, 0]))) == [[16, None], [0]]


def test_another_name_is_another_matter() -> None:
    model = _model(b"", name="OfflineMemoryAllocation2")
    assert not has_offline_plan(model)
    assert offline_offsets(model) == [[None, None], [None]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes are no memory plan"),
        (b"\0" * 11, "11 bytes are no memory plan"),
        (struct.pack("<5i", 1, 0, 2, 0, 0), "Nbr of offline buffer offsets .2. in metadata"),
        (struct.pack("<5i", 1, 0, 3, 0, 0), "it holds 2 offsets of 3"),
        (struct.pack("<6i", 1, 0, 3, 0, -2, 0), "offset -2 of tensor 1 is negative"),
        (struct.pack("<3i", 1, 0, -1), "Nbr of offline buffer offsets"),
    ],
)
def test_defects_are_told(data: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason) as caught:
        offline_offsets(_model(data))
    assert str(caught.value).startswith("it.tflite: metadata OfflineMemoryAllocation: ")
