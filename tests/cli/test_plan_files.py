"""`tinyml plan`: pictures and C++ headers, and what is not overwritten for them."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.cli.models import adder, countdown, unsupported
from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import fed
from tinyml_cli.cpp.add_methods import INT8_KERNELS, add_method
from tinyml_cli.cpp.text import comment, namespace_of
from tinyml_runtime import BuiltinOperator, OpResolver, write_model

DIGITS = EXAMPLES / "digits.tflite"
SINE = EXAMPLES / "sine.tflite"
SVG = "{http://www.w3.org/2000/svg}"
COMPILER = shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


def svg_of(tinyml: Tinyml, model: Path, *options: object) -> ElementTree.Element:
    assert tinyml("plan", model, "--plot", "arena.svg", *options).code == 0
    return ElementTree.parse("arena.svg").getroot()


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def titles(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for box in root.iter(f"{SVG}rect") for element in box]


def test_the_svg_has_a_box_with_a_tooltip_for_each_buffer(tinyml: Tinyml) -> None:
    root = svg_of(tinyml, DIGITS, "--abi", "arm-eabi")
    buffers = [title for title in titles(root) if title.startswith("tensor")]
    assert len(buffers) == 11
    (largest,) = [title for title in buffers if title.startswith("tensor 16 ")]
    assert largest.splitlines()[1:] == [
        "2,048 bytes at offset 0",
        "in use from node 2 CONV_2D to node 3 MAX_POOL_2D",
    ]


def test_the_svg_names_operators_and_bytes_on_its_axes(tinyml: Tinyml) -> None:
    shown = texts(svg_of(tinyml, DIGITS, "--abi", "arm-eabi"))
    assert {"0 CONV_2D", "9 SOFTMAX", "1 KiB", "offset in the arena"} <= set(shown)
    assert "bytes in use, at most 3,072 bytes at 2 CONV_2D" in shown
    assert any("5,872 bytes" in text for text in shown)


def test_everything_is_inside_the_svg(tinyml: Tinyml) -> None:
    root = svg_of(tinyml, DIGITS)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for box in root.iter(f"{SVG}rect"):
        if "x" in box.attrib:
            sides = {side: float(box.attrib[side]) for side in ("x", "y", "width", "height")}
            assert 0 <= sides["x"] <= sides["x"] + sides["width"] <= width
            assert 0 <= sides["y"] <= sides["y"] + sides["height"] <= height


def test_names_from_a_file_cannot_break_the_svg(tinyml: Tinyml, tmp_path: Path) -> None:
    model = model_of(
        Graph(
            {'<b>&"\x01': fed((1, 4), np.float32), "]]>": fed((1, 4), np.float32)},
            ['<b>&"\x01'],
            ["]]>"],
            [Call(BuiltinOperator.ABS, ['<b>&"\x01'], ["]]>"])],
        )
    )
    (tmp_path / "model.tflite").write_bytes(write_model(model))
    assert any('<b>&"?' in title for title in titles(svg_of(tinyml, tmp_path / "model.tflite")))


def test_a_png_is_drawn(tinyml: Tinyml) -> None:
    images = pytest.importorskip("PIL.Image")
    assert tinyml("plan", DIGITS, "--plot", "arena.png").code == 0
    with images.open("arena.png") as image:
        assert image.format == "PNG"
        assert image.width > 1000
        assert len(image.convert("RGB").getcolors(1_000_000)) > 8


def test_a_png_without_pillow_is_told_with_the_way_out(
    tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(name: str) -> None:
        return None

    monkeypatch.setattr("tinyml_cli.render.png.find_spec", nothing)
    outcome = tinyml("plan", DIGITS, "--plot", "arena.png")
    assert (outcome.code, outcome.out) == (2, "")
    assert "pip install 'tinyml-cli[image]'" in outcome.err
    assert not Path("arena.png").exists()


def test_the_header_declares_what_the_report_says(tinyml: Tinyml) -> None:
    report = tinyml("plan", DIGITS, "--header", "arena.h", "--json").report
    text = Path("arena.h").read_text()
    assert f"kTensorArenaSize = {report['arena']['recommended_bytes']};" in text
    assert f"// SHA-256  {report['model']['sha256']}" in text
    assert "// runtime  TFLM 90b983c2, reference kernels, ABI arm-eabi" in text
    assert report["written"] == ["arena.h: written"]
    assert str(EXAMPLES) not in text


def test_the_header_names_the_model_that_is_written(tinyml: Tinyml) -> None:
    options = ["--planner", "optimal", "--write", "out.tflite", "--header", "arena.h"]
    assert tinyml("plan", DIGITS, *options).code == 0
    text = Path("arena.h").read_text()
    assert f"SHA-256  {sha256(Path('out.tflite').read_bytes()).hexdigest()}" in text
    assert "only a model that --write saved brings this plan to the device" in text


def test_the_same_command_writes_the_same_header_again(tinyml: Tinyml) -> None:
    assert tinyml("plan", DIGITS, "--header", "arena.h").code == 0
    first = Path("arena.h").read_bytes()
    assert tinyml("plan", DIGITS, "--header", "arena.h").code == 0
    assert Path("arena.h").read_bytes() == first


@pytest.mark.parametrize(
    ("abi", "pointer", "enumeration", "tensor"),
    [("arm-eabi", 4, 1, 32), ("ilp32", 4, 4, 40), ("lp64", 8, 4, 64)],
)
def test_the_header_checks_the_abi(
    tinyml: Tinyml, abi: str, pointer: int, enumeration: int, tensor: int
) -> None:
    assert tinyml("plan", DIGITS, "--abi", abi, "--header", "arena.h").code == 0
    text = Path("arena.h").read_text()
    assert f"sizeof(void*) == {pointer}," in text
    assert f"sizeof(AbiProbe) == {enumeration}," in text
    assert re.search(rf"sizeof\(TfLiteTensor\) == {tensor},", text)


def test_several_models_get_the_arena_that_they_share(tinyml: Tinyml) -> None:
    report = tinyml("plan", DIGITS, SINE, "--header", "arena.h", "--json").report
    text = Path("arena.h").read_text()
    assert f"kTensorArenaSize = {report['shared_arena']['recommended_bytes']};" in text
    assert "// model    digits.tflite" in text
    assert "// model    sine.tflite" in text


def test_a_split_arena_becomes_two_arrays(tinyml: Tinyml) -> None:
    report = tinyml("plan", DIGITS, "--split", "--header", "arena.h", "--json").report
    text = Path("arena.h").read_text()
    split = report["split_arenas"]
    assert f"kPersistentArenaSize = {split['persistent_bytes']};" in text
    assert f"kNonPersistentArenaSize = {split['nonpersistent_bytes']};" in text
    assert "non_persistent_arena[kNonPersistentArenaSize];" in text


def compiled(text: str, folder: Path) -> Any:
    (folder / "main.cc").write_text(text)
    command = [str(COMPILER), "-std=c++17", "-fsyntax-only", "-Wall", "-Werror", "main.cc"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def host_abi() -> str:
    if struct.calcsize("P") != 8 or sys.platform == "win32":
        pytest.skip("the ABI of this computer is none that there is a table for")
    return "lp64"


@needs_compiler
@pytest.mark.parametrize("options", [[], ["--split"]], ids=["one arena", "two arenas"])
def test_the_header_compiles(tinyml: Tinyml, tmp_path: Path, options: list[str]) -> None:
    code = tinyml("plan", DIGITS, "--abi", host_abi(), "--header", "arena.h", *options).code
    assert code == 0
    done = compiled('#include "arena.h"\n#include "arena.h"\n', tmp_path)
    assert done.returncode == 0, done.stderr


@needs_compiler
@pytest.mark.parametrize(
    ("abi", "message"), [("ilp32", "width of a pointer"), ("arm-eabi", "width of an enumeration")]
)
def test_the_header_of_another_abi_does_not_compile(
    tinyml: Tinyml, tmp_path: Path, abi: str, message: str
) -> None:
    host_abi()
    assert tinyml("plan", DIGITS, "--abi", abi, "--header", "arena.h").code == 0
    done = compiled('#include "arena.h"\n', tmp_path)
    assert done.returncode != 0
    assert message in done.stderr


def test_the_resolver_has_just_the_operators_of_the_model(tinyml: Tinyml) -> None:
    assert tinyml("plan", DIGITS, "--resolver", "ops.h").code == 0
    text = Path("ops.h").read_text()
    assert "kOperatorCount = 7;" in text
    assert sorted(re.findall(r"op_resolver\.(\w+)\(\)", text)) == [
        "AddAveragePool2D",
        "AddConv2D",
        "AddDepthwiseConv2D",
        "AddFullyConnected",
        "AddMaxPool2D",
        "AddReshape",
        "AddSoftmax",
    ]


def test_several_models_share_a_resolver(tinyml: Tinyml, tmp_path: Path) -> None:
    assert tinyml("plan", DIGITS, adder(tmp_path), "--resolver", "ops.h").code == 0
    assert "kOperatorCount = 8;" in Path("ops.h").read_text()


def test_operators_of_called_subgraphs_are_in_the_resolver(tinyml: Tinyml, tmp_path: Path) -> None:
    assert tinyml("plan", countdown(tmp_path), "--resolver", "ops.h").code == 0
    text = Path("ops.h").read_text()
    assert all(
        f"op_resolver.{name}()" in text for name in ("AddWhile", "AddSub", "AddGreaterEqual")
    )


def test_cmsis_nn_gets_kernels_for_int8_where_all_nodes_are_int8(tinyml: Tinyml) -> None:
    assert tinyml("plan", DIGITS, "--kernels", "cmsis-nn", "--resolver", "ops.h").code == 0
    text = Path("ops.h").read_text()
    assert "AddConv2D(tflite::Register_CONV_2D_INT8())" in text
    assert "AddReshape()" in text


def test_a_float_model_gets_kernels_for_all_types(tinyml: Tinyml) -> None:
    model = EXAMPLES / "digits_float.tflite"
    assert tinyml("plan", model, "--kernels", "cmsis-nn", "--resolver", "ops.h").code == 0
    assert "_INT8()" not in Path("ops.h").read_text()


def test_every_operator_of_tflm_has_a_method() -> None:
    names = OpResolver.for_library("reference").operators()
    methods = {name: add_method(name) for name in names}
    assert None not in methods.values()
    assert len(set(methods.values())) == len(names)
    assert all(name in methods for kernels in INT8_KERNELS.values() for name in kernels)
    assert (methods["CUMSUM"], methods["SignalFilterBankLog"], methods["ELU"]) == (
        "AddCumSum",
        "AddFilterBankLog",
        "AddElu",
    )


def test_names_become_namespaces_and_comments_that_compile() -> None:
    names = {"arena.h": "arena", "my-arena v2.h": "my_arena_v2", "new.h": "new_", "2.h": "n2"}
    assert {name: namespace_of(Path(name)) for name in names} == names
    assert comment("a\\\nb??/é") == "// a/?b? ?/?"


def test_nothing_is_written_for_a_model_that_does_not_load(tinyml: Tinyml, tmp_path: Path) -> None:
    outcome = tinyml("plan", unsupported(tmp_path), "--header", "arena.h")
    assert outcome.code == 4
    assert not Path("arena.h").exists()


def test_a_file_of_the_users_own_is_kept(tinyml: Tinyml) -> None:
    Path("arena.h").write_text("int mine;\n// Made by tinyml plan\n")
    outcome = tinyml("plan", DIGITS, "--header", "arena.h")
    assert (outcome.code, outcome.out) == (2, "")
    assert "arena.h: this file is not from tinyml; --force replaces it" in outcome.err
    assert Path("arena.h").read_text().startswith("int mine;")


def test_force_replaces_it(tinyml: Tinyml) -> None:
    Path("arena.h").write_text("int mine;\n")
    assert tinyml("plan", DIGITS, "--header", "arena.h", "--force").code == 0
    assert "kTensorArenaSize" in Path("arena.h").read_text()


@pytest.mark.parametrize("name", ["arena.svg", "arena.png"])
def test_a_picture_of_an_earlier_run_is_replaced(tinyml: Tinyml, name: str) -> None:
    if name.endswith("png"):
        pytest.importorskip("PIL")
    for _ in range(2):
        assert tinyml("plan", DIGITS, "--plot", name).code == 0


def test_the_model_is_never_overwritten(tinyml: Tinyml, tmp_path: Path) -> None:
    model = tmp_path / "model.h"
    shutil.copy(DIGITS, model)
    outcome = tinyml("plan", model, "--header", "model.h", "--force")
    assert outcome.code == 2
    assert "this run reads that file" in outcome.err
    assert model.read_bytes() == DIGITS.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--header", "no/arena.h"], "there is no folder 'no'"),
        (["--header", "arena.txt"], "must end in .h or"),
        (["--plot", "arena.pdf"], "must end in .svg or .png"),
        (["--header", "a.h", "--resolver", "./a.h"], "need a file each"),
        (["--plot", "folder.svg"], "this is there already and is no file"),
        (["--plot", "a\0.svg"], "null"),
    ],
)
def test_what_cannot_be_written_is_told_before_planning(
    tinyml: Tinyml, options: list[str], message: str
) -> None:
    Path("folder.svg").mkdir()
    outcome = tinyml("plan", DIGITS, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--plot", "arena.svg"], "--plot draws one model"),
        (["--split", "--header", "arena.h"], "--header with --split takes one model"),
        (["--explain", "x"], "--explain takes one model"),
    ],
)
def test_what_is_for_one_model_is_told(tinyml: Tinyml, options: list[str], message: str) -> None:
    outcome = tinyml("plan", DIGITS, SINE, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="who may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told(tinyml: Tinyml) -> None:
    Path("closed").mkdir(mode=0o500)
    outcome = tinyml("plan", DIGITS, "--header", "closed/arena.h")
    assert outcome.code == 2
    assert "cannot be written" in outcome.err
