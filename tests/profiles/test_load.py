"""Targets: every file loads, and what is not known is said with a way out."""

from __future__ import annotations

import pytest

from tinyml_profiles import load_target, target_names
from tinyml_runtime.errors import TargetError
from tinyml_runtime.memory.abi import load_abi


@pytest.mark.parametrize("name", target_names())
def test_every_target_loads(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert target.core.name == name if target.board is None else target.board.name == name
    assert load_abi(target.core.abi).name == target.core.abi
    assert target.core.title
    assert target.core.source.partition(": ")[2]


def test_the_cores_that_scripts_rely_on_are_there() -> None:
    cores = {
        "cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33",
        "cortex-m55", "rv32imc", "rv32imafc", "xtensa-lx6", "xtensa-lx7",
    }  # fmt: skip
    assert cores <= set(target_names())


def test_a_name_that_is_nearly_right_gets_the_right_ones() -> None:
    with pytest.raises(TargetError, match=r"no target 'cortexm4' \(near: cortex-m4"):
        load_target("cortexm4")


def test_a_name_that_is_like_none_gets_all() -> None:
    with pytest.raises(TargetError, match=r"there are: .*cortex-m55, .*xtensa-lx7"):
        load_target("qqqq")
