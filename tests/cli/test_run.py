"""`tinyml run`: report, JSON, saved outputs, state, exit codes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.cli.models import (
    adder,
    classifier,
    countdown,
    identity,
    last_two,
    lookup,
    unsupported,
)
from tinyml_runtime import Array, Interpreter, load_model, write_model
from tinyml_runtime.planning.written_plan import with_offsets

DIGITS = EXAMPLES / "digits.tflite"


def own_outputs(model: Path, array: Array) -> Array:
    interpreter = Interpreter(load_model(model))
    interpreter.allocate_tensors()
    interpreter.set_input(array)
    interpreter.invoke()
    return interpreter.output()


def test_json_has_the_promised_keys_and_nothing_else_is_on_stdout(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    model = identity(tmp_path, (1, 3), np.int8, 0.5, -1)
    np.savez(tmp_path / "in.npz", input_0=np.array([[1, 2, 3]], np.int8))
    outcome = tinyml("run", model, "-i", "in.npz", "--json")
    report = outcome.report
    assert outcome.code == 0
    assert report["schema"] == 1
    content = model.read_bytes()
    assert report["model"] == {
        "path": str(model),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    assert report["kernels"] == "reference"
    wanted = {"index": 0, "name": "t0", "shape": [1, 3], "dtype": "int8"}
    quantization = {"scale": 0.5, "zero_point": -1, "source": "in.npz[input_0]"}
    assert {**wanted, **quantization}.items() <= report["inputs"][0].items()
    (output,) = report["outputs"]
    assert output["values"] == [[1, 2, 3]]
    assert output["sha256"] == hashlib.sha256(bytes([1, 2, 3])).hexdigest()
    assert report["invoke_ms"] > 0


def test_json_shows_the_first_thousand_elements(tinyml: Tinyml, tmp_path: Path) -> None:
    model = identity(tmp_path, (1, 1200), np.int16)
    np.save(tmp_path / "in.npy", np.arange(1200, dtype=np.int16).reshape(1, 1200))
    (output,) = tinyml("run", model, "-i", "in.npy", "--json").report["outputs"]
    assert output["values"] == list(range(1000))
    assert output["shape"] == [1, 1200]


def test_json_has_null_for_what_json_cannot_say(tinyml: Tinyml, tmp_path: Path) -> None:
    model = identity(tmp_path, (1, 3))
    np.save(tmp_path / "in.npy", np.array([np.nan, np.inf, 1], np.float32))
    (output,) = tinyml("run", model, "-i", "in.npy", "--json").report["outputs"]
    assert output["values"] == [[None, None, 1.0]]
    assert output["scale"] is None


def test_outputs_are_saved_in_the_tensors_own_type(tinyml: Tinyml, tmp_path: Path) -> None:
    samples: Array = np.load(EXAMPLES / "digits_samples.npz")["input_0"]
    stored = (np.round(samples[:1] * 255) - 128).astype(np.int8)
    np.savez(tmp_path / "in.npz", input_0=stored)
    assert tinyml("run", DIGITS, "-i", "in.npz", "-o", "out.npz").code == 0
    with np.load(tmp_path / "out.npz") as saved:
        assert saved.files == ["output_0"]
        np.testing.assert_array_equal(saved["output_0"], own_outputs(DIGITS, stored))
        assert saved["output_0"].dtype == np.int8


def test_seed_draws_inputs_in_order_from_one_generator(tinyml: Tinyml, tmp_path: Path) -> None:
    assert tinyml("run", adder(tmp_path), "--seed", 7, "-o", "out.npz").code == 0
    generator = np.random.default_rng(7)
    first, second = (generator.standard_normal((1, 2)).astype(np.float32) for _ in range(2))
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["output_0"], first + second)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32])
def test_seeded_integers_cover_the_whole_type(
    tinyml: Tinyml, tmp_path: Path, dtype: type[np.integer]
) -> None:
    limits = np.iinfo(dtype)
    tinyml("run", identity(tmp_path, (1, 5), dtype), "--seed", 1, "-o", "out.npz")
    wanted = np.random.default_rng(1).integers(
        limits.min, limits.max, size=(1, 5), dtype=dtype, endpoint=True
    )
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["output_0"], wanted)


def test_inputs_are_zeros_without_a_file_and_it_says_so(tinyml: Tinyml, tmp_path: Path) -> None:
    outcome = tinyml("run", identity(tmp_path, (1, 2)), "--json")
    assert outcome.report["outputs"][0]["values"] == [[0.0, 0.0]]
    assert "input 0 't0' is zeros" in outcome.err
    assert outcome.report["inputs"][0]["source"] == "zeros"


def test_the_report_shows_the_best_classes_with_their_labels(tinyml: Tinyml) -> None:
    pytest.importorskip("PIL")
    outcome = tinyml(
        "run", DIGITS, "-i", EXAMPLES / "digit_7.png", "--labels", EXAMPLES / "digits.txt"
    )
    assert outcome.code == 0
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["7", "seven", "0.996094", "127"] in lines
    table = outcome.out.partition("stored")[2]
    assert sum(line[:1].isdigit() and "ms" not in line for line in table.splitlines()) == 5


def test_the_report_shows_real_and_stored_values(tinyml: Tinyml, tmp_path: Path) -> None:
    model = identity(tmp_path, (1, 30), np.int8, 0.5, -1)
    np.save(tmp_path / "in.npy", np.arange(30, dtype=np.int8))
    out = tinyml("run", model, "-i", "in.npy").out
    assert ["0,3", "2", "3"] in [line.split() for line in out.splitlines()]
    assert "20 more values" in out


def test_reports_fit_eighty_columns_and_have_no_colour_codes(tinyml: Tinyml) -> None:
    out = tinyml("run", DIGITS, "--trace", "--seed", 1).out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_trace_names_each_operator_in_order(tinyml: Tinyml) -> None:
    trace = tinyml("run", DIGITS, "--trace", "--seed", 1, "--json").report["trace"]
    interpreter = Interpreter(load_model(DIGITS))
    assert [node["op"] for node in trace] == [node.operator for node in interpreter.nodes()]
    assert all(node["calls"] == 1 and node["total_ms"] > 0 for node in trace)
    assert trace[-1]["shape"] == [1, 10]


def test_trace_gives_the_range_of_real_values(tinyml: Tinyml, tmp_path: Path) -> None:
    model = identity(tmp_path, (1, 3), np.int8, 0.5, -1)
    np.save(tmp_path / "in.npy", np.array([[[1, 5, 3]], [[-7, 0, 0]]], np.int8))
    (node,) = tinyml("run", model, "-i", "in.npy", "--trace", "--json").report["trace"]
    assert (node["lowest"], node["highest"], node["calls"]) == (-3.0, 3.0, 2)


def test_repeat_times_further_invocations_and_keeps_the_first_outputs(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    np.save(tmp_path / "in.npy", np.array([[3]], np.float32))
    report = tinyml("run", last_two(tmp_path), "-i", "in.npy", "--repeat", 4, "--json").report
    assert report["timed_invokes"] == 4
    assert report["outputs"][0]["values"] == [[3.0]]


def test_a_run_inside_the_arena_gives_the_same_and_says_how_much_is_shared(tinyml: Tinyml) -> None:
    arguments = ("run", DIGITS, "--seed", "1", "--repeat", "3", "--json")
    apart, inside = tinyml(*arguments), tinyml(*arguments, "--in-arena")
    assert apart.report["in_arena"] is None
    assert inside.report["in_arena"] == {"planned_bytes": 3072, "abi": "arm-eabi", "core": None}
    assert inside.report["outputs"] == apart.report["outputs"]
    shown = tinyml("run", DIGITS, "--in-arena")
    assert "inside the arena of arm-eabi: tensors share 3,072 planned bytes" in shown.out


def test_many_samples_run_inside_the_arena_one_after_another(tinyml: Tinyml) -> None:
    samples, labels = EXAMPLES / "digits_samples.npz", EXAMPLES / "digits_labels.npy"
    outcome = tinyml("run", DIGITS, "-i", samples, "--expect", labels, "--in-arena", "--json")
    assert outcome.report["score"]["correct"] == 197


def test_a_plan_of_the_file_with_overlaps_is_refused_inside_the_arena(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    model = tmp_path / "overlapping.tflite"
    digits = load_model(DIGITS)
    zeros: list[list[int | None]] = [[0] * len(graph.tensors) for graph in digits.subgraphs]
    model.write_bytes(write_model(with_offsets(digits, zeros)))
    assert tinyml("run", model).code == 0
    outcome = tinyml("run", model, "--in-arena")
    assert outcome.code == 2
    assert "overlap" in outcome.err


def test_many_samples_give_what_they_give_one_by_one(tinyml: Tinyml, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    samples = generator.integers(-128, 128, (7, 8, 8, 1), dtype=np.int8)
    np.savez(tmp_path / "in.npz", input_0=samples)
    outcome = tinyml("run", DIGITS, "-i", "in.npz", "-o", "out.npz", "--json")
    wanted = np.concatenate([own_outputs(DIGITS, sample[np.newaxis]) for sample in samples])
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["output_0"], wanted)
    assert outcome.report["samples"] == 7
    assert outcome.report["outputs"][0]["shape"] == [7, 10]
    assert outcome.err.count("\r") == 0


def test_samples_of_a_model_with_state_are_a_sequence(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([1, 2, 4], np.float32))
    outcome = tinyml("run", last_two(tmp_path), "-i", "in.npy", "--json")
    assert outcome.report["outputs"][0]["values"] == [[1.0], [3.0], [6.0]]
    assert "the samples are one sequence" in outcome.err


def test_reset_between_gives_each_sample_a_fresh_state(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([1, 2, 4], np.float32))
    outcome = tinyml("run", last_two(tmp_path), "-i", "in.npy", "--reset-between", "--json")
    assert outcome.report["outputs"][0]["values"] == [[1.0], [2.0], [4.0]]
    assert "sequence" not in outcome.err


def test_a_dash_reads_the_model_from_standard_input(tinyml: Tinyml) -> None:
    report = tinyml("run", "-", "--json", stdin=DIGITS.read_bytes()).report
    assert report["model"]["path"] == "-"
    assert report["model"]["bytes"] == DIGITS.stat().st_size


def test_an_operator_without_a_kernel_is_exit_code_4(tinyml: Tinyml, tmp_path: Path) -> None:
    outcome = tinyml("run", unsupported(tmp_path))
    assert outcome.code == 4
    assert "node 0 (Nonesuch): Didn't find op for custom operator 'Nonesuch'" in outcome.err
    assert outcome.out == ""


def test_a_file_that_is_no_model_is_exit_code_3(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    outcome = tinyml("run", "model.tflite")
    assert outcome.code == 3
    assert outcome.err == "error: model.tflite: this is a PNG image\n"


def test_a_run_that_stops_on_its_values_names_the_model(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([5], np.int32))
    outcome = tinyml("run", lookup(tmp_path), "-i", "in.npy")
    assert outcome.code == 4
    assert "model.tflite: GATHER (node 0): index out of bounds" in outcome.err


def test_a_loop_runs_as_often_as_the_option_allows(tinyml: Tinyml, tmp_path: Path) -> None:
    model = countdown(tmp_path)
    np.save(tmp_path / "in.npy", np.array([9], np.int32))
    # Nine turns, and a tenth look at the condition.
    enough = tinyml("run", model, "-i", "in.npy", "--max-nested-invocations", 19, "--json")
    assert enough.report["outputs"][0]["values"] == [0]
    outcome = tinyml("run", model, "-i", "in.npy", "--max-nested-invocations", 18)
    assert outcome.code == 4
    assert "model.tflite: nodes have run other subgraphs 18 times" in outcome.err


def test_names_from_a_file_cannot_steer_the_terminal(tinyml: Tinyml, tmp_path: Path) -> None:
    model = identity(tmp_path, (1, 2))
    model.write_bytes(model.read_bytes().replace(b"t0\0", b"\x1bc\0"))
    outcome = tinyml("run", model)
    assert "'?c'" in outcome.out
    assert "\x1b" not in outcome.out + outcome.err


def test_a_wrong_path_suggests_a_near_one(tinyml: Tinyml, tmp_path: Path) -> None:
    classifier(tmp_path, 3)
    outcome = tinyml("run", "modle.tflite")
    assert outcome.code == 2
    assert outcome.err == "error: modle.tflite: no such file (did you mean model.tflite?)\n"


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("nosuch.tflite", ""),
        ("modle.tflite", " (did you mean model.tflite?)"),
        ("Model", " (did you mean model.tflite?)"),
        ("model.tfilte", " (did you mean model.tflite?)"),
    ],
)
def test_only_names_that_are_near_are_suggested(
    tinyml: Tinyml, tmp_path: Path, typed: str, suggested: str
) -> None:
    for name in ("cut.tflite", "model.tflite", "such_a_file.tflite"):
        (tmp_path / name).touch()
    outcome = tinyml("run", typed)
    assert outcome.code == 2
    assert outcome.err == f"error: {typed}: no such file{suggested}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kernels", "nope"], "no kernel library 'nope' (there are: reference"),
        (["--seed", "x"], "--seed takes a whole number from 0 on, not 'x'"),
        (
            ["--max-nested-invocations", "none"],
            "--max-nested-invocations takes a whole number from 1 on, not 'none'",
        ),
        (["--repeat", "0"], "--repeat takes a whole number from 1 on, not '0'"),
        (["--values", "x"], "--values takes auto, real, stored, not 'x'"),
        (["--image-range", "x"], "--image-range takes unit, signed, raw, centered, not 'x'"),
        (["-o", "out.txt"], "out.txt: outputs are saved as .npz; call the file out.npz"),
        (["-o", "no/out.npz"], "no/out.npz: there is no folder 'no'; make it first"),
        (["--labels", "nope"], "nope: no such file"),
        (["-i", "x=in.npy"], "in.npy: no such file"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(
    tinyml: Tinyml, tmp_path: Path, arguments: list[str], message: str
) -> None:
    outcome = tinyml("run", classifier(tmp_path, 3), *arguments)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {message}")
    assert outcome.err.count("\n") == 1


def test_an_output_file_never_replaces_what_the_run_reads(tinyml: Tinyml, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", input_0=np.zeros((1, 3), np.int8))
    before = (tmp_path / "in.npz").read_bytes()
    outcome = tinyml("run", classifier(tmp_path, 3), "-i", "in.npz", "-o", "in.npz")
    assert outcome.err == "error: in.npz: this run reads that file; save to another one\n"
    assert (tmp_path / "in.npz").read_bytes() == before


def test_an_earlier_archive_is_replaced_and_nothing_else_is_left(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    model = classifier(tmp_path, 3)
    (tmp_path / "out.npz").write_bytes(b"old")
    assert tinyml("run", model, "-o", "out.npz").code == 0
    assert np.load(tmp_path / "out.npz")["output_0"].shape == (1, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.tflite", "out.npz"]


def test_help_has_examples_and_lists_the_commands(tinyml: Tinyml) -> None:
    assert "tinyml run model.tflite -i samples.npz" in tinyml("run", "--help").out
    commands = tinyml("--help").out.partition("Commands")[2]
    for name in ("run", "compare", "plan", "profile", "targets", "calibrate"):
        assert name in commands


def test_an_unknown_option_is_exit_code_2(tinyml: Tinyml) -> None:
    outcome = tinyml("run", DIGITS, "--frobnicate")
    assert outcome.code == 2
    assert "--frobnicate" in outcome.err


def test_a_missing_model_is_exit_code_2(tinyml: Tinyml) -> None:
    outcome = tinyml("run")
    assert outcome.code == 2
    assert "MODEL" in outcome.err
