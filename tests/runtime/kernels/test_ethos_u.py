"""ethos-u: known, and refused for the right reason."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.single_op import SingleOp, constant, fed
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.interpreter import Interpreter


def test_work_for_an_npu_is_refused_with_one_clear_reason() -> None:
    stream = constant(np.zeros(16, np.uint8))
    case = SingleOp("ethos-u", [stream, fed((4,), np.int8)], [fed((4,), np.int8)])
    interpreter = Interpreter(case.model())
    with pytest.raises(
        UnsupportedModelError, match=r"\(ethos-u\): this is work for an Ethos-U"
    ) as e:
        interpreter.allocate_tensors()
    (problem,) = e.value.problems
    assert "Vela" in problem.remedy
