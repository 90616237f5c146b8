"""The flash of an image: the parts that operators need, each counted once."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from itertools import combinations

import pytest

from tests.support.sample_models import tiny_model
from tinyml_profiles import load_target
from tinyml_profiles.code_table import CodeTable, code_builds, find_code, load_code, read_code
from tinyml_profiles.flash import (
    NOT_CONTAINED,
    FlashOptions,
    image_flash,
    int8_operators,
    needed_operators,
)
from tinyml_profiles.load import board_names, core_names
from tinyml_profiles.target_figures import target_figures
from tinyml_runtime import load_model
from tinyml_runtime.errors import InputError
from tinyml_runtime.model.schema import Model, Operator, OperatorCode, SubGraph
from tinyml_runtime.types import BuiltinOperator

TABLE = """# made by: hand
# from: measured
# ref: a test
# error: 0.01
# logging: yes
# operators: ADD CONV_2D MUL
kind,part,nano,nano ram,operators
core,interpreter,1000,20,*
kernel,add,100,0,ADD
kernel,conv,300,4,CONV_2D
kernel,both,50,0,!CONV_2D logging
libc,exp,30,8,ADD MUL
libc,printf,5000,12,logging
"""


def model_of(*operators: str) -> Model:
    """A model with these operators on no tensors: flash asks for no more."""
    codes = tuple(OperatorCode(BuiltinOperator[name].value) for name in operators)
    return Model(
        operator_codes=codes,
        subgraphs=(SubGraph(operators=tuple(Operator(place) for place in range(len(codes)))),),
    )


def bytes_of(table: CodeTable, *operators: str) -> int:
    return sum(part.flash_bytes["nano"] for part in table.linked(operators))


def test_what_several_operators_need_counts_once() -> None:
    table = read_code("reference", "a-core", TABLE)
    assert bytes_of(table) == 1000
    assert bytes_of(table, "ADD") == 1000 + 100 + 50 + 30
    assert bytes_of(table, "ADD", "MUL") == 1000 + 100 + 50 + 30
    assert bytes_of(table, "ADD", "CONV_2D") == 1000 + 100 + 50 + 30 + 300
    assert bytes_of(table, "CONV_2D", "logging") == 1000 + 300 + 5000


def test_the_parts_of_a_report_add_up_and_so_do_the_operators() -> None:
    model = model_of("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "SOFTMAX")
    report = image_flash(model, "nucleo-l4r5zi", "cmsis-nn", model_bytes=1001)
    assert report.code_bytes is not None
    assert report.model_bytes == 1004
    assert report.needed_bytes == report.code_bytes + 1004
    assert report.evidence == "measured"
    assert report.not_contained == NOT_CONTAINED
    assert report.kernels[0].operator == "CONV_2D"
    for code in report.kernels:
        rest = [one.operator for one in report.kernels if one is not code]
        less = image_flash(model_of(*rest), "nucleo-l4r5zi", "cmsis-nn", model_bytes=1001)
        assert less.code_bytes == report.code_bytes - (code.own_bytes or 0)
        assert code.shared_bytes


@pytest.mark.parametrize("options", [FlashOptions(libc="newlib"), FlashOptions(is_logging=True)])
def test_the_larger_c_library_and_logging_cost_flash(options: FlashOptions) -> None:
    model = model_of("CONV_2D", "SOFTMAX")
    small = image_flash(model, "cortex-m4", model_bytes=0).needed_bytes
    large = image_flash(model, "cortex-m4", model_bytes=0, options=options).needed_bytes
    assert small is not None
    assert large is not None
    assert large > small + 500


def test_registering_int8_kernels_alone_saves_flash_with_cmsis_nn() -> None:
    model = load_model("examples/digits.tflite")
    assert "CONV_2D" in int8_operators(model)
    whole = image_flash(model, "cortex-m4", "cmsis-nn", model_bytes=0).code_bytes
    options = FlashOptions(is_int8_only=True)
    short = image_flash(model, "cortex-m4", "cmsis-nn", model_bytes=0, options=options).code_bytes
    assert whole is not None
    assert short is not None
    assert 20_000 < whole - short < 50_000
    floats = load_model("examples/digits_float.tflite")
    assert not int8_operators(floats)


def test_an_operator_that_nobody_linked_makes_the_flash_unknown() -> None:
    report = image_flash(model_of("ADD", "CUSTOM"), "cortex-m4", model_bytes=100)
    assert report.needed_bytes is None
    assert report.evidence == "unknown"
    assert any("nobody has linked" in note for note in report.notes)
    known = {code.operator: code.bytes for code in report.kernels}
    assert known["ADD"]
    assert known[""] is None


def test_a_library_that_was_linked_for_no_core_like_it_is_unknown() -> None:
    report = image_flash(model_of("ADD"), "cortex-m4", "esp-nn", model_bytes=100)
    assert report.needed_bytes is None
    assert report.code_bytes is None
    assert report.low_bytes is None
    assert "esp-nn" in report.notes[0]


def test_a_c_library_that_was_not_linked_is_refused_with_those_that_were() -> None:
    options = FlashOptions(libc="glibc")
    with pytest.raises(InputError, match="newlib-nano, newlib"):
        image_flash(model_of("ADD"), "cortex-m4", model_bytes=100, options=options)


def test_code_of_another_core_says_whose_it_is_and_is_less_sure() -> None:
    report = image_flash(model_of("ADD"), "raspberry-pi-pico", model_bytes=100)
    assert report.linked_core == "cortex-m0"
    assert report.evidence == "derived"
    assert report.error is not None
    assert report.error >= 0.05
    assert any("cortex-m0," in note for note in report.notes)


@pytest.mark.parametrize(
    ("board", "evidence"),
    [
        ("raspberry-pi-pico", "derived"),  # a Cortex-M0+ stands behind the M0
        ("esp32-devkit-v1", "derived"),
        ("esp32-s3-devkitc", "assumed"),  # its vector kernels were not linked
    ],
)
def test_code_is_as_sure_as_the_core_is_near(board: str, evidence: str) -> None:
    target = load_target(board)
    assert target.board is not None
    report = image_flash(model_of("ADD"), target, target.board.library, model_bytes=100)
    assert report.evidence == evidence


def test_only_operators_that_run_are_needed() -> None:
    model = tiny_model()
    assert needed_operators(model) == ["FULLY_CONNECTED"]
    unused = Model(
        operator_codes=(*model.operator_codes, OperatorCode(BuiltinOperator.ADD.value)),
        subgraphs=model.subgraphs,
    )
    assert needed_operators(unused) == ["FULLY_CONNECTED"]


def test_a_board_offers_its_flash_less_what_it_reserves() -> None:
    target = load_target("nano33ble")
    report = image_flash(model_of("ADD"), target, "cmsis-nn", model_bytes=100)
    assert target.board is not None
    reserved = target.board.reserved_flash_bytes.value
    assert report.available_bytes == 1024 * 1024 - reserved
    assert image_flash(model_of("ADD"), "cortex-m4", model_bytes=1).available_bytes is None


@cache
def images() -> list[dict[str, str]]:
    file = files("tinyml_profiles") / "data" / "measurements" / "flash.csv"
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


@pytest.mark.parametrize("core", sorted({row["core"] for row in images()}))
def test_linked_images_are_predicted_without_having_been_seen(core: str) -> None:
    rows = [row for row in images() if row["core"] == core]
    assert len(rows) >= 5
    for row in rows:
        table = load_code(row["library"], core, row["is_stripped"] == "True")
        assert table is not None
        roots = row["operators"].split() + (["logging"] if row["is_logging"] == "True" else [])
        predicted = sum(part.flash_bytes[row["libc"]] for part in table.linked(roots))
        assert predicted == int(row["predicted_bytes"])
        left_out = int(row["left_out_bytes"]) / int(row["code_bytes"]) - 1
        assert abs(left_out) <= (0.01 if table.evidence == "measured" else 0.02), row
        assert abs(left_out) <= table.error + 1e-4


@pytest.mark.parametrize(("library", "core", "is_stripped"), code_builds())
def test_tables_are_whole(library: str, core: str, is_stripped: bool) -> None:
    table = load_code(library, core, is_stripped)
    assert table is not None
    assert core in core_names()
    assert len(table.operators) > 100
    assert 0 < table.error < 0.05
    linked = {name for part in table.parts for name in part.operators}
    assert table.operators <= linked
    for part in table.parts:
        assert part.kind in ("core", "kernel", "library", "libc")
        assert part.is_every or part.operators
    base = sum(part.flash_bytes[table.libcs[0]] for part in table.parts if part.is_every)
    assert 8_000 < base < 30_000


def test_more_operators_never_take_less() -> None:
    table = load_code("cmsis-nn", "cortex-m4")
    assert table is not None

    def size(*names: str) -> int:
        return sum(part.flash_bytes["newlib-nano"] for part in table.linked(names))

    some = sorted(table.operators)[::9]
    for one, other in combinations(some, 2):
        both = size(one, other)
        assert max(size(one), size(other)) <= both <= size(one) + size(other) - size()


def test_every_board_has_code_with_its_usual_library() -> None:
    for name in board_names():
        target = load_target(name)
        assert target.board is not None
        assert find_code(target.core, target.board.library) is not None, name


def test_the_example_fits_the_board_of_the_guide() -> None:
    path = "examples/digits.tflite"
    report = image_flash(load_model(path), "nucleo-l4r5zi", "cmsis-nn", model_bytes=9_000)
    assert report.needed_bytes is not None
    assert report.available_bytes is not None
    assert report.needed_bytes < report.available_bytes
    assert target_figures(report.target)
