"""`tinyml run -i`: which files fill which inputs, and what their numbers mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Outcome, Tinyml
from tests.cli.models import adder, identity
from tests.support.single_op import SingleOp, fed, run_ours
from tinyml_runtime import BuiltinOperator

SHAPE = (1, 2, 3, 1)
SAMPLE = np.arange(6, dtype=np.float32).reshape(SHAPE)


def values(outcome: Outcome) -> Any:
    return outcome.report["outputs"][0]["values"]


def as_npy(path: Path, array: Any) -> None:
    np.save(path, array)


def as_npz(path: Path, array: Any) -> None:
    np.savez(path, input_0=array)


def as_csv(path: Path, array: Any) -> None:
    rows = np.asarray(array).reshape(-1, SAMPLE.size)
    path.write_text("\n".join(",".join(f"{value:.8g}" for value in row) for row in rows))


def as_json(path: Path, array: Any) -> None:
    path.write_text(json.dumps(np.asarray(array).tolist()))


def as_json_object(path: Path, array: Any) -> None:
    path.write_text(json.dumps({"t0": np.asarray(array).tolist()}))


def as_bin(path: Path, array: Any) -> None:
    path.write_bytes(np.asarray(array).astype("<f4").tobytes())


WRITERS = {
    "in.npy": as_npy,
    "in.npz": as_npz,
    "in.csv": as_csv,
    "in.json": as_json,
    "named.json": as_json_object,
    "in.bin": as_bin,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_each_kind_holds_one_sample(tinyml: Tinyml, tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, SAMPLE / 8)
    outcome = tinyml("run", identity(tmp_path, SHAPE), "-i", name, "--json")
    assert values(outcome) == (SAMPLE / 8).reshape(1, 6).tolist()
    assert outcome.report["inputs"][0]["source"].startswith(name)


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_each_kind_holds_many_samples(tinyml: Tinyml, tmp_path: Path, name: str) -> None:
    samples = np.stack([SAMPLE, SAMPLE + 1, SAMPLE + 2])
    WRITERS[name](tmp_path / name, samples)
    outcome = tinyml("run", identity(tmp_path, SHAPE), "-i", name, "--json")
    assert outcome.report["samples"] == 3
    assert values(outcome) == samples.reshape(3, 6).tolist()


@pytest.mark.parametrize(
    ("shape", "samples"),
    [
        ((1, 2, 3, 1), 1),
        ((2, 3, 1), 1),
        ((2, 3), 1),
        ((6,), 1),
        ((1, 6), 1),
        ((5, 1, 2, 3, 1), 5),
        ((5, 2, 3, 1), 5),
        ((5, 2, 3), 5),
        ((5, 6), 5),
    ],
)
def test_shapes_say_how_many_samples_there_are(
    tinyml: Tinyml, tmp_path: Path, shape: tuple[int, ...], samples: int
) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    np.save(tmp_path / "in.npy", array)
    outcome = tinyml("run", identity(tmp_path, SHAPE), "-i", "in.npy", "--json")
    assert outcome.report["samples"] == samples
    assert np.ravel(values(outcome)).tolist() == array.ravel().tolist()


@pytest.mark.parametrize("shape", [(3, 2), (1, 2, 3, 2), (7,), (5, 7), (0, 2, 3, 1), ()])
def test_other_shapes_are_refused_with_the_one_that_fits(
    tinyml: Tinyml, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    np.save(tmp_path / "in.npy", np.zeros(shape, np.float32))
    outcome = tinyml("run", identity(tmp_path, SHAPE), "-i", "in.npy")
    assert outcome.code == 2
    assert outcome.err.startswith("error: in.npy: ")
    assert "the input takes [1, 2, 3, 1], or [N, 2, 3, 1] for N samples" in outcome.err


def test_real_values_are_quantized_as_tflm_does_and_it_says_so(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    model = identity(tmp_path, (1, 6), np.int8, 0.5, -3)
    # Halves of a step go away from zero: 0.25 / 0.5 = 0.5 -> 1, -0.75 / 0.5 = -1.5 -> -2.
    np.save(tmp_path / "in.npy", np.array([0.25, -0.25, 0.75, -0.75, 1000, -1000]))
    outcome = tinyml("run", model, "-i", "in.npy", "--json")
    assert values(outcome) == [[-2, -4, -1, -5, 127, -128]]
    assert "quantized (scale 0.5, zero point -3); 2 of 6 values outside" in outcome.err


@pytest.mark.parametrize("scale", [0.1, 1 / 255, 0.0123456])
def test_real_values_are_quantized_as_the_operator_quantize_does(
    tinyml: Tinyml, tmp_path: Path, scale: float
) -> None:
    halves = (np.arange(-300, 300) / 2 * scale).astype(np.float32)
    around = [np.nextafter(halves, np.float32(side)) for side in (-np.inf, np.inf)]
    reals = np.concatenate([halves, *around]).reshape(1, -1)
    operands = fed(reals.shape, np.float32), fed(reals.shape, np.int8, scale, 3)
    case = SingleOp(BuiltinOperator.QUANTIZE, operands[:1], operands[1:])
    np.save(tmp_path / "in.npy", reals)
    model = identity(tmp_path, reals.shape, np.int8, scale, 3)
    assert tinyml("run", model, "-i", "in.npy", "-o", "out.npz").code == 0
    saved = np.load(tmp_path / "out.npz")["output_0"]
    np.testing.assert_array_equal(saved, run_ours(case.model(), [reals])[0])


def test_rounding_does_not_fall_for_the_float_just_below_a_half(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    model = identity(tmp_path, (1, 1), np.int8, 1.0, 0)
    np.save(tmp_path / "in.npy", np.array([np.nextafter(np.float32(0.5), np.float32(0))]))
    assert values(tinyml("run", model, "-i", "in.npy", "--json")) == [[0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.bool_])
def test_whole_numbers_are_stored_values_if_they_fit(
    tinyml: Tinyml, tmp_path: Path, dtype: Any
) -> None:
    model = identity(tmp_path, (1, 2), np.int8, 0.5, -3)
    np.save(tmp_path / "in.npy", np.array([0, 1], dtype))
    outcome = tinyml("run", model, "-i", "in.npy", "--json")
    assert values(outcome) == [[0, 1]]
    assert f"cast from {np.dtype(dtype)} to int8" in outcome.err


def test_whole_numbers_that_do_not_fit_are_refused_with_the_way_out(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    model = identity(tmp_path, (1, 2), np.int8, 1.0, -128)
    np.save(tmp_path / "in.npy", np.array([0, 255], np.uint8))
    outcome = tinyml("run", model, "-i", "in.npy")
    assert outcome.code == 2
    assert "0..255 do not fit int8 (-128..127); '--values real' has them quantized" in outcome.err
    outcome = tinyml("run", model, "-i", "in.npy", "--values", "real", "--json")
    assert values(outcome) == [[-128, 127]]


def test_stored_values_may_be_written_as_floats_if_asked(tinyml: Tinyml, tmp_path: Path) -> None:
    model = identity(tmp_path, (1, 2), np.int8, 0.5, 0)
    np.save(tmp_path / "in.npy", np.array([3.0, -4.0]))
    outcome = tinyml("run", model, "-i", "in.npy", "--values", "stored", "--json")
    assert values(outcome) == [[3, -4]]


def test_fractions_do_not_become_integers(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([1.0, 2.5]))
    outcome = tinyml("run", identity(tmp_path, (1, 2), np.int32), "-i", "in.npy")
    assert outcome.code == 2
    assert "in.npy: 2.5 in sample 0 at [0, 1], but the input takes int32" in outcome.err


def test_nan_cannot_be_quantized(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([1.0, np.nan]))
    outcome = tinyml("run", identity(tmp_path, (1, 2), np.int8, 0.5), "-i", "in.npy")
    assert outcome.code == 2
    assert "in.npy: NaN in sample 0 at [0, 1]" in outcome.err


def test_nan_goes_into_a_float_input_with_a_note(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([1.0, np.nan], np.float32))
    outcome = tinyml("run", identity(tmp_path, (1, 2)), "-i", "in.npy")
    assert outcome.code == 0
    assert "1 of 2 values are NaN" in outcome.err


@pytest.mark.parametrize("name", ["t1", "1", "input_1"])
def test_an_input_is_found_by_name_and_by_index(tinyml: Tinyml, tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "in.npy", np.array([1, 2], np.float32))
    outcome = tinyml("run", adder(tmp_path), "-i", f"{name}=in.npy", "--json")
    sources = [one["source"] for one in outcome.report["inputs"]]
    assert sources == ["zeros", "in.npy"]


def test_files_without_a_name_fill_the_inputs_left_in_order(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([1, 2], np.float32))
    np.save(tmp_path / "b.npy", np.array([10, 20], np.float32))
    outcome = tinyml("run", adder(tmp_path), "-i", "a.npy", "-i", "0=b.npy", "--json")
    assert [one["source"] for one in outcome.report["inputs"]] == ["b.npy", "a.npy"]
    assert values(outcome) == [[11.0, 22.0]]


def test_an_archive_fills_inputs_by_name_and_names_what_it_leaves_out(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    arrays: dict[str, Any] = {"input_0": np.ones(2), "t1": np.full(2, 2), "labels": np.zeros(1)}
    np.savez(tmp_path / "in.npz", **arrays)
    outcome = tinyml("run", adder(tmp_path), "-i", "in.npz", "--json")
    assert values(outcome) == [[3.0, 3.0]]
    assert "in.npz: 'labels' is no input of the model and is left out" in outcome.err


def test_one_sample_stands_for_all_where_another_input_has_many(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    np.savez(tmp_path / "in.npz", input_0=np.ones((3, 2)), input_1=np.arange(2))
    outcome = tinyml("run", adder(tmp_path), "-i", "in.npz", "--json")
    assert values(outcome) == [[1.0, 2.0]] * 3
    assert "the same for all 3 samples" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i", "nope=a.npy"], "the model has no input 'nope'; its inputs: 0 't0' float32[1, 2]"),
        (["-i", "0=a.npy", "-i", "t0=a.npy"], "input 0 't0' is given twice"),
        (["-i", "a.npy", "-i", "a.npy", "-i", "a.npy"], "a.npy: one file too many"),
        (["-i", "=a.npy"], "'=a.npy': there is no name before '='"),
        (["-i", "0=two.npy", "-i", "1=three.npy"], "the inputs have different numbers of samples"),
        (["-i", "alien.npz"], "alien.npz: none of its names (x, y) is an input"),
        (["-i", "0=alien.npz"], "alien.npz: which of its arrays is for input 0 't0'? (x, y)"),
    ],
)
def test_wrong_assignments_say_what_there_is(
    tinyml: Tinyml, tmp_path: Path, arguments: list[str], message: str
) -> None:
    np.save(tmp_path / "a.npy", np.zeros(2, np.float32))
    np.save(tmp_path / "two.npy", np.zeros((2, 2), np.float32))
    np.save(tmp_path / "three.npy", np.zeros((3, 2), np.float32))
    np.savez(tmp_path / "alien.npz", x=np.zeros(2), y=np.zeros(2))
    outcome = tinyml("run", adder(tmp_path), *arguments)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {message}")
    assert outcome.err.count("\n") == 1


def test_pickled_objects_are_refused_unread(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    outcome = tinyml("run", identity(tmp_path, (1, 2)), "-i", "in.npy")
    assert outcome.code == 2
    assert "in.npy: it holds pickled Python objects" in outcome.err


def _archive(**arrays: Any) -> bytes:
    from io import BytesIO

    file = BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


DEFECTIVE = {
    "text.npy": b"hello",
    "cut.npy": b"\x93NUMPY\x01\x00",
    "cut.npz": _archive(input_0=np.zeros(2))[:100],
    "text.npz": b"hello",
    "notnumbers.npz": _archive(input_0=np.array(["a", "b"])),
    "empty.csv": b"\n",
    "words.csv": b"1,2\n3,four\n",
    "ragged.csv": b"1,2\n3\n",
    "binary.csv": b"\xff\xfe\x00",
    "cut.json": b"[1, 2",
    "ragged.json": b"[[1, 2], [3]]",
    "words.json": b'["a", "b"]',
    "deep.json": b"[" * 100_000,
    "empty.bin": b"",
    "odd.bin": b"abc",
    "short.bin": b"abcd",
    "unknown.xyz": b"",
    "cut.wav": b"RIFF",
}


@pytest.mark.parametrize("name", DEFECTIVE)
def test_a_defective_file_is_one_line_that_names_it(
    tinyml: Tinyml, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(DEFECTIVE[name])
    outcome = tinyml("run", identity(tmp_path, (1, 2)), "-i", name)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {name}: ") or outcome.err.startswith(f"error: {name}[")
    assert outcome.err.count("\n") == 1


def test_a_csv_defect_is_named_by_its_line(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("# comment\n1,2\n3,four\n")
    outcome = tinyml("run", identity(tmp_path, (1, 2)), "-i", "in.csv")
    assert outcome.err == "error: in.csv: line 3, value 2: 'four' is no number\n"


def test_a_csv_header_is_left_out_with_a_note(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("left;right\n1;2\n3;4\n")
    outcome = tinyml("run", identity(tmp_path, (1, 2)), "-i", "in.csv", "--json")
    assert values(outcome) == [[1.0, 2.0], [3.0, 4.0]]
    assert "line 1 is taken for a header" in outcome.err
