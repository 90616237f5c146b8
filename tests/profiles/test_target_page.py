"""The page about targets: its examples are files that load."""

from __future__ import annotations

import re
from pathlib import Path

from tinyml_profiles import load_target
from tinyml_profiles.target import Board

PAGE = Path(__file__).parents[2] / "docs" / "extend" / "target.md"


def test_the_examples_on_the_page_load(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    boards: list[Board | None] = []
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.toml"
        path.write_text(block, encoding="utf-8")
        boards.append(load_target(str(path)).board)
    assert [board.name for board in boards if board is not None] == ["my-board", "my-l4r5"]
    assert boards[1] is not None
    assert boards[1].calibration.operator_cycles.value == 400
