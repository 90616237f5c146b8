"""`tinyml plan`: the arena over time, in the terminal and as TFLM draws it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.cli.models import countdown
from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import fed
from tinyml_cli.render.memory_map import MemoryMap
from tinyml_cli.render.tflm_drawing import tflm_drawing
from tinyml_profiles import plan_model
from tinyml_runtime import BuiltinOperator, Model, load_model
from tinyml_runtime.model.options import AddOptions

DIGITS = EXAMPLES / "digits.tflite"
# As TFLM 90b983c2 prints it: GreedyMemoryPlanner::PrintMemoryPlan, given the buffers of the model.
DRAWN_BY_TFLM = """\
0 (id=0): size=64, offset=1024, first_used=0 last_used=1
1 (id=1): size=1024, offset=0, first_used=1 last_used=2
2 (id=2): size=1024, offset=2048, first_used=2 last_used=3
3 (id=3): size=2048, offset=0, first_used=3 last_used=4
4 (id=4): size=512, offset=2048, first_used=4 last_used=5
5 (id=5): size=512, offset=768, first_used=5 last_used=6
6 (id=6): size=768, offset=0, first_used=6 last_used=7
7 (id=7): size=192, offset=768, first_used=7 last_used=8
8 (id=8): size=192, offset=0, first_used=8 last_used=9
9 (id=9): size=16, offset=192, first_used=9 last_used=10
* (id=10): size=16, offset=0, first_used=10 last_used=10
   0: ..........................00.................................................... (1k)
   1: 1111111111111111111111111100.................................................... (2k)
   2: 11111111111111111111111111...........................222222222222222222222222222 (2k)
   3: 33333333333333333333333333333333333333333333333333333222222222222222222222222222 (3k)
   4: 333333333333333333333333333333333333333333333333333334444444444444.............. (3k)
   5: ....................5555555555555....................4444444444444.............. (1k)
   6: 666666666666666666665555555555555............................................... (2k)
   7: 6666666666666666666677777....................................................... (1k)
   8: 88888...............77777....................................................... (1k)
   9: 88888........................................................................... (1k)
  10: ................................................................................ (1k)
"""


def drawn(model: Model, width: int, *, colour: bool = False, height: int = 25) -> list[str]:
    console = Console(
        width=width,
        height=height,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        highlight=False,
    )
    with console.capture() as capture:
        console.print(MemoryMap(plan_model(model, abi="arm-eabi")))
    return capture.get().splitlines()


def chain(length: int) -> Model:
    """ADD after ADD, each of the sum before and itself; the tenth result is used by the last."""
    names = [f"t{number}" for number in range(length + 1)]
    tensor = fed((1, 64), np.float32)
    calls = [
        Call(BuiltinOperator.ADD, [before, before], [after], AddOptions())
        for before, after in pairwise(names)
    ]
    calls[-1] = Call(BuiltinOperator.ADD, [names[-2], names[10]], [names[-1]], AddOptions())
    return model_of(Graph(dict.fromkeys(names, tensor), names[:1], names[-1:], calls))


def test_tflms_drawing_is_tflms_character_for_character(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", DIGITS, "--abi", "arm-eabi", "--style", "tflm")
    assert (outcome.code, outcome.out) == (0, DRAWN_BY_TFLM)


def test_tflms_drawing_marks_what_overlaps() -> None:
    plan = plan_model(load_model(DIGITS), abi="arm-eabi")
    object.__setattr__(plan.plan, "offsets", (0,) * len(plan.buffers))
    assert any("!" in row for row in tflm_drawing(plan).splitlines())


def test_the_map_has_a_row_for_each_operator_and_marks_the_peak() -> None:
    lines = drawn(load_model(DIGITS), 80)
    assert all(len(line) <= 80 for line in lines)
    rows = lines[1:11]
    assert [row.split()[1] for row in rows][:3] == ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"]
    assert [row.endswith("peak") for row in rows] == [False, False, True] + 7 * [False]
    assert "3,072" in rows[2]


def test_in_a_row_a_buffer_is_as_long_as_its_share_of_the_bytes() -> None:
    row = drawn(load_model(DIGITS), 80)[3].split()[2]
    assert set(row) == {"C", "D"}
    assert row.count("D") / len(row) == pytest.approx(2 / 3, abs=1 / len(row))


def test_the_legend_names_buffers_by_letter() -> None:
    lines = drawn(load_model(DIGITS), 80)
    assert any(line.startswith("D 2,048  tensor 16") for line in lines)


def test_a_wide_terminal_gets_a_finer_map_and_the_whole_legend() -> None:
    narrow, wide = drawn(load_model(DIGITS), 80), drawn(load_model(DIGITS), 160)
    assert max(map(len, wide)) > 120
    assert "smaller" in "".join(narrow)
    assert "smaller" not in "".join(wide)


def test_many_operators_share_rows_and_the_peak_stays() -> None:
    lines = drawn(chain(300), 80)
    rows = [line for line in lines if " ADD " in line]
    assert len(rows) == 32
    assert rows[0].split()[0] == "0-8"
    assert any(row.endswith("peak") for row in rows)


def test_a_high_terminal_gets_more_rows() -> None:
    assert len(drawn(chain(300), 80, height=100)) > len(drawn(chain(300), 80)) + 20


def test_colours_stand_for_buffers_where_there_are_colours() -> None:
    coloured = "".join(drawn(load_model(DIGITS), 100, colour=True))
    assert "\x1b[30;48;2;" in coloured
    assert "\x1b" not in "".join(drawn(load_model(DIGITS), 100))


def test_nodes_of_called_subgraphs_say_where_they_are(tmp_path: Path) -> None:
    rows = drawn(load_model(countdown(tmp_path)), 80)
    assert any(row.lstrip().startswith("1:0 GREATER_EQUAL") for row in rows)


def test_the_report_shows_the_map(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", DIGITS, "--abi", "arm-eabi")
    assert "  2 CONV_2D           DDDD" in outcome.out


def test_an_unknown_style_is_told(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", DIGITS, "--style", "gantt")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--style takes map, tflm, not 'gantt'" in outcome.err
