"""Kernels that are optimised for size: as measured, as assumed with a range, or unknown."""

from __future__ import annotations

import csv
import hashlib
import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from tests.support.corpus import CORPUS, corpus_models, needs_corpus
from tests.support.single_op import SingleOp, constant, fed
from tinyml_profiles import load_target, profile_model
from tinyml_profiles.instructions import load_loops
from tinyml_profiles.latency_report import LatencyReport
from tinyml_profiles.uncertainty import interval
from tinyml_runtime import load_model
from tinyml_runtime.errors import InputError
from tinyml_runtime.types import BuiltinOperator

SHAPES = Path(__file__).parents[2] / "examples" / "shapes"
KEYWORDS = load_model(SHAPES / "kws_ds_cnn.tflite")
# What was counted in enough models to be told apart from the rest of a model.
SURE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def profiled(target: str, library: str, opt: str) -> LatencyReport:
    return profile_model(KEYWORDS, target, library, clock_hz=100e6, opt=opt)


def test_where_loops_were_counted_at_both_levels_both_are_measured() -> None:
    fast, small = (profiled("rv32imc", "reference", opt) for opt in ("O2", "Os"))
    assert fast.total.instructions is not None
    assert small.total.instructions is not None
    # "Kernels built -Os execute 2 to 6 times the instructions of -O2 on convolutions."
    assert 2 < small.total.instructions / fast.total.instructions < 6
    for node in small.nodes:
        assert node.evidence != "unknown"
        assert node.bounds == (1.0, 1.0)
    assert not any("at -Os" in note for note in small.notes)


def test_other_cores_are_assumed_and_the_range_reaches_from_none_of_it_to_the_most() -> None:
    fast, small = (profiled("cortex-m4", "reference", opt) for opt in ("O2", "Os"))
    factors, there = interval(small.target, "reference"), load_loops("reference", "rv32imc", "Os")
    assert factors is not None
    assert there is not None
    least, most = there.beside_usual
    assert fast.total.latency_ms is not None
    assert small.total.latency_ms is not None
    assert small.evidence == "assumed"
    assert small.total.latency_ms > 2 * fast.total.latency_ms
    assert small.total.latency_low_ms == pytest.approx(
        factors.low * least * fast.total.latency_ms, rel=0.02
    )
    assert small.total.latency_high_ms == pytest.approx(
        factors.high * most * fast.total.latency_ms, rel=0.02
    )
    assert any("nobody has counted that at -Os" in note for note in small.notes)


def test_an_operator_that_was_not_counted_lies_between_those_that_were() -> None:
    case = SingleOp(
        BuiltinOperator.TRANSPOSE,
        [fed((1, 8, 8, 4), np.int8, 0.1), constant(np.array([0, 3, 1, 2], np.int32))],
        [fed((1, 4, 8, 8), np.int8, 0.1)],
    )
    reports = [
        profile_model(case.model(), "rv32imc", "reference", clock_hz=1e8, opt=opt)
        for opt in ("O2", "Os")
    ]
    (fast,), (small,) = (report.nodes for report in reports)
    assert small.evidence == "assumed"
    assert fast.latency_ms is not None
    assert small.latency_ms is not None
    low, high = small.bounds
    assert low * small.latency_ms <= fast.latency_ms * 1.01
    assert high * small.latency_ms >= 7 * fast.latency_ms


def test_a_library_that_nobody_counted_is_unknown_and_never_that_of_o2() -> None:
    report = profiled("nucleo-l4r5zi", "cmsis-nn", "Os")
    assert report.total.latency_ms is None
    assert report.total.cycles is None
    assert report.evidence == "unknown"
    assert "nobody has counted the kernels of cmsis-nn at -Os" in report.notes


def test_another_level_is_refused() -> None:
    with pytest.raises(InputError, match="no optimisation 'O3' \\(there are: O2, Os\\)"):
        profiled("rv32imc", "reference", "O3")


@needs_corpus
def test_shipped_mixes_give_the_instructions_that_were_measured_at_os() -> None:
    errors: dict[str, list[float]] = defaultdict(list)
    names = {row["model"]: row["sha256"] for row in _rows("arena_riscv.csv")}
    paths = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in corpus_models()}
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows("ops_riscv.csv"):
        if row["kernels"] == "reference_Os" and int(row["op_index"]) >= 0:
            rows[row["model"]].append(row)
    for model, nodes in rows.items():
        path = paths.get(names[model])
        if path is None:
            continue
        report = profile_model(load_model(path), "rv32imc", "reference", opt="Os")
        for row, node in zip(nodes, report.nodes, strict=True):
            assert node.operator == row["op_name"]
            assert node.instructions is not None
            errors[node.operator].append(node.instructions.total / int(row["instructions"]) - 1)
    for operator in SURE:
        found = sorted(abs(error) for error in errors[operator])
        assert statistics.median(found) < 0.005
        assert found[int(0.95 * len(found))] < 0.02


def _rows(file: str) -> list[dict[str, str]]:
    with (CORPUS / "truth" / file).open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_target_with_reference_kernels_has_figures() -> None:
    for name in ("cortex-m0", "cortex-m55", "xtensa-lx6", "esp32p4"):
        assert load_target(name).name == name
        assert profiled(name, "reference", "Os").total.cycles
