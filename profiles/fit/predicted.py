"""Cycles of a published latency as the formulas give them, with parameters that are tried out."""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from board_rows import BASE, Difference, Ratio, Whole
from measured import MeasuredNode, find_models, read_nodes
from parameters import PARAMETERS, Parameter

from tinyml_profiles.cycles import Conditions, CyclePricer
from tinyml_profiles.instructions import CLASSES, Instructions, count_instructions
from tinyml_profiles.load_board import read_board
from tinyml_profiles.load_core import read_core
from tinyml_profiles.loops import find_loops
from tinyml_profiles.target import Core, Target
from tinyml_profiles.toml_table import TomlTable
from tinyml_profiles.traffic import Traffic, node_traffic
from tinyml_profiles.work import NodeTensors, NodeWork, node_workloads
from tinyml_runtime import load_model
from tinyml_runtime.macs import count_macs
from tinyml_runtime.model_tensors import make_tensors

DATA = Path(sys.modules[CyclePricer.__module__].__file__ or "").parent / "data"
Values = Mapping[Parameter, float]
_MEMORY_LIMIT_BYTES = 2**31


@dataclass(frozen=True)
class _Node:
    operator: str
    instructions: Instructions
    traffic: Traffic


class Predictor:
    """Prices what was published. Instructions are those of the tables if they have all loops."""

    def __init__(self, truth: Path, models: Path) -> None:
        """Find models and measured operators."""
        self._models = find_models(models)
        self._measured: dict[tuple[str, str, str], dict[int, MeasuredNode]] = defaultdict(dict)
        for node in read_nodes(truth):
            key = node.sha256, node.core, node.library
            self._measured[key][node.index] = node
        self._nodes: dict[tuple[str, str, str], Sequence[_Node] | None] = {}
        self._cycles: dict[Any, float] = {}

    def knows(self, row: Whole | Ratio | Difference) -> bool:
        """Whether the model is there, and the instructions of its nodes."""
        library = row.library if isinstance(row, Whole) else "cmsis-nn"
        return self._all_nodes(build(row.target, {}).core, library, row.sha256) is not None

    def target(self, name: str) -> Target:
        """The target of that name, with parameters as they were believed before."""
        return build(name, {})

    def whole(self, row: Whole, values: Values) -> float:
        """Cycles of the model, or of the nodes of one type."""
        conditions = Conditions(row.library, row.clock_hz)
        return self._price(row.target, row.sha256, conditions, values, row.operator)

    def ratio(self, row: Ratio, values: Values) -> float:
        """Cycles on the target as a share of those on the base."""
        there, here = (
            self._price(target, row.sha256, Conditions("cmsis-nn"), values)
            for target in (row.target, BASE)
        )
        return there / here

    def difference(self, row: Difference, values: Values) -> float:
        """Cycles that weights in flash take more than in SRAM."""
        flash, sram = (
            self._price(row.target, row.sha256, Conditions("cmsis-nn", weights_in=name), values)
            for name in ("flash", "sram")
        )
        return flash - sram

    def _price(
        self, name: str, sha256: str, conditions: Conditions, values: Values, operator: str = ""
    ) -> float:
        own = tuple((p.files, p.key, value) for p, value in values.items() if concerns(p, name))
        key = name, sha256, conditions, operator, own
        if key not in self._cycles:
            target = build(name, values)
            pricer = CyclePricer(target, conditions)
            self._cycles[key] = sum(
                pricer.price(node.instructions, node.traffic).total
                for node in self._all_nodes(target.core, conditions.library, sha256) or ()
                if operator in ("", node.operator)
            )
        return self._cycles[key]

    def _all_nodes(self, core: Core, library: str, sha256: str) -> Sequence[_Node] | None:
        key = core.name, library, sha256
        if key not in self._nodes:
            self._nodes[key] = self._count(core, library, sha256)
        return self._nodes[key]

    def _count(self, core: Core, library: str, sha256: str) -> Sequence[_Node] | None:
        if sha256 not in self._models:
            return None
        model = load_model(str(self._models[sha256]))
        context = NodeTensors(make_tensors(model, _MEMORY_LIMIT_BYTES)[0], core.extensions)
        works = node_workloads(model, core.name, library)
        counted = self._instructions(core, library, sha256, works)
        if counted is None:
            return None
        nodes: list[_Node] = []
        for work, instructions in zip(works, counted, strict=True):
            macs = count_macs(context, work.node)
            traffic = node_traffic(context, work.node, library, macs)
            nodes.append(_Node(work.node.operator, instructions, traffic))
        return nodes

    def _instructions(
        self, core: Core, library: str, sha256: str, works: Sequence[NodeWork]
    ) -> Sequence[Instructions] | None:
        """As the tables say, or where they lack a loop as they were counted in this very model."""
        if (loops := find_loops(core, library)) is not None:
            counted = [count_instructions(work.loops, loops.table) for work in works]
            if not any(instructions.unpriced for instructions in counted):
                return counted
        for name in core.loops_cores:
            if measured := self._measured.get((sha256, name, library)):
                return [_as_instructions(measured[work.node.index]) for work in works]
        return None


def _as_instructions(node: MeasuredNode) -> Instructions:
    return Instructions(tuple(float(node.mix.get(name, 0)) for name in CLASSES), "measured")


def files_of(name: str) -> tuple[str, ...]:
    """The files of a target: its own and that of its core."""
    return f"boards/{name}", f"cores/{_read(f'boards/{name}')['core']}"


def concerns(parameter: Parameter, target: str) -> bool:
    """Whether the parameter stands in a file of that target."""
    return not set(parameter.files).isdisjoint(files_of(target))


def build(name: str, values: Values) -> Target:
    """The board of that name with other values of parameters."""
    board, core = (_with(file, values) for file in files_of(name))
    table = TomlTable(name, board)
    table.text("core")
    return Target(name, read_core(TomlTable(str(board["core"]), core)), read_board(table))


def _with(file: str, values: Values) -> dict[str, Any]:
    data = deepcopy(_read(file))
    for parameter in PARAMETERS:
        if file in parameter.files:
            *path, last = split_key(parameter.key)
            table = data
            for part in path:
                table = table.setdefault(part, {})
            table[last] = {
                "value": values.get(parameter, parameter.start),
                "from": "derived",
                "ref": parameter.reason,
            }
    return data


def split_key(key: str) -> list[str]:
    """The parts of a dotted key."""
    return key.split(".")


@cache
def _read(file: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{file}.toml").read_text("utf-8"))
