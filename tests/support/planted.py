"""Defects planted in one operator of a model: in a kernel library, or in the model's weights."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from tinyml_runtime import resolver
from tinyml_runtime.kernels import REFERENCE
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.schema import Buffer, Model
from tinyml_runtime.registration import EvalContext, Node, Registration
from tinyml_runtime.tensor import Array


def _reference(operator: str) -> Registration[object]:
    registration = REFERENCE.find(operator)
    assert registration is not None
    return registration


_DEPTHWISE = _reference("DEPTHWISE_CONV_2D")


def _off_by_one(context: EvalContext, node: Node, data: object) -> None:
    """Right but for the first element of a sample with 32 channels, which is 1 too large."""
    _DEPTHWISE.evaluate(context, node, data)
    values = context.output(node, 0).values
    if values.shape[-1] == 32:
        values[:, 0, 0, 0] += 1


DEFECTIVE = KernelLibrary(
    "defective", {"DEPTHWISE_CONV_2D": replace(_DEPTHWISE, evaluate=_off_by_one)}
)


def install_defective(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a package with that library were installed."""
    entry = EntryPoint("defective", f"{__name__}:DEFECTIVE", resolver.ENTRY_POINT_GROUP)
    entries = EntryPoints([entry])

    def entry_points(*, group: str) -> EntryPoints:
        return entries.select(group=group)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


def with_changed_weight(model: Model, node: int, weights: int = 1) -> Model:
    """The model with the first weights of a node's second input changed by 64 steps."""
    graph = model.subgraphs[0]
    number = graph.tensors[graph.operators[node].inputs[1]].buffer
    values: Array = np.frombuffer(model.buffers[number].data, np.int8).copy()
    values[:weights] += np.where(values[:weights] > 0, -64, 64).astype(np.int8)
    buffers = list(model.buffers)
    buffers[number] = Buffer(values.tobytes())
    return replace(model, buffers=tuple(buffers))
