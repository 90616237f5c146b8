"""Generated models with branches, for which the place of tensors and the order of nodes matter."""

from __future__ import annotations

from random import Random

import numpy as np

from tests.support.graphs import Call, Graph, loaded, model_of
from tests.support.single_op import Operand, constant, fed
from tinyml_runtime.model.options import (
    ConcatenationOptions,
    FullyConnectedOptions,
    IfOptions,
    ReducerOptions,
)
from tinyml_runtime.model.schema import Model
from tinyml_runtime.types import BuiltinOperator as Op


class Layers:
    """Rows of float32 from layer to layer, in the order in which they are added."""

    def __init__(self, inputs: int, seed: int = 0) -> None:
        self.widths = {"x": inputs}
        self.calls: list[Call] = []
        self._tensors: dict[str, Operand] = {"x": fed((1, inputs), np.float32)}
        self._generator = np.random.default_rng(seed)

    def dense(self, source: str, units: int) -> str:
        """FULLY_CONNECTED with constant weights; gives the name of its output."""
        shape = (units, self.widths[source])
        weights = self._constant(self._generator.standard_normal(shape).astype(np.float32))
        return self._add(Op.FULLY_CONNECTED, [source, weights], units, FullyConnectedOptions())

    def mean(self, source: str) -> str:
        """MEAN of a row: it asks for two scratch buffers."""
        axis = self._constant(np.array([1], np.int32))
        return self._add(Op.MEAN, [source, axis], 1, ReducerOptions(keep_dims=True))

    def joined(self, sources: list[str]) -> str:
        """CONCATENATION of rows."""
        units = sum(self.widths[name] for name in sources)
        return self._add(Op.CONCATENATION, sources, units, ConcatenationOptions(axis=1))

    def unread(self) -> list[str]:
        """The tensors that no layer has read so far."""
        read = {name for call in self.calls for name in call.inputs}
        return [name for name in self.widths if name not in read]

    def graph(self, *outputs: str) -> Graph:
        """A graph from `x` to `outputs`."""
        return Graph(self._tensors, ["x"], list(outputs), self.calls)

    def _constant(self, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
        name = f"c{len(self._tensors)}"
        self._tensors[name] = constant(values)
        return name

    def _add(self, operator: Op, inputs: list[str], units: int, options: object) -> str:
        name = f"t{len(self._tensors)}"
        self._tensors[name] = fed((1, units), np.float32)
        self.widths[name] = units
        self.calls.append(Call(operator, inputs, [name], options))  # pyright: ignore[reportArgumentType]
        return name


def wide_branches(count: int = 4, units: int = 256) -> Model:
    """Branches that are wide first and narrow then; all wide layers come before all narrow ones."""
    layers = Layers(8)
    wide = [layers.dense("x", units) for _ in range(count)]
    narrow = [layers.dense(name, 4) for name in wide]
    return loaded(model_of(layers.graph(layers.joined(narrow))))


def random_layers(seed: int, size: int = 12, means: float = 0.2) -> Layers:
    """Layers of random width, each on an earlier one; what is not read is joined at the end.

    `means` is the share of those that take the mean.
    """
    random = Random(seed)
    layers = Layers(random.randint(1, 40), seed)
    for _ in range(size):
        source = random.choice(list(layers.widths)[-4:])
        if random.random() < means:
            layers.mean(source)
        else:
            layers.dense(source, 4 * random.randint(1, 40))
    layers.joined(layers.unread())
    return layers


def random_branches(seed: int, size: int = 12) -> Model:
    """A model of random layers."""
    layers = random_layers(seed, size)
    return loaded(model_of(layers.graph(list(layers.widths)[-1])))


def branches_in_branches() -> Model:
    """An IF between two graphs with wide branches, after and before layers of the main graph."""
    inner: list[Graph] = []
    for seed in (1, 2):
        layers = Layers(8, seed)
        wide = [layers.dense("x", 64) for _ in range(3)]
        narrow = [layers.dense(name, 2) for name in wide]
        inner.append(layers.graph(layers.joined(narrow)))
    flag, row, six = fed((1,), np.bool_), fed((1, 8), np.float32), fed((1, 6), np.float32)
    weights = constant(np.ones((8, 6), np.float32))
    main = Graph(
        {"flag": flag, "x": row, "y": six, "w": weights, "z": row},
        ["flag", "x"],
        ["z"],
        [
            Call(Op.IF, ["flag", "x"], ["y"], IfOptions(1, 2)),
            Call(Op.FULLY_CONNECTED, ["y", "w"], ["z"], FullyConnectedOptions()),
        ],
    )
    return loaded(model_of(main, *inner))


def with_a_graph_that_never_runs() -> Model:
    """A second graph as large as the first, as files with two signatures have it.

    It has no scratch buffers: TFLM forgets to set theirs up, and writes into nowhere.
    """
    layers = random_layers(3, means=0)
    graph = layers.graph(list(layers.widths)[-1])
    return loaded(model_of(graph, graph))
