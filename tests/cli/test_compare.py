"""`tinyml compare`: verdicts, reports as scripts and people read them, bad input in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli import models
from tests.cli.conftest import EXAMPLES, Outcome, Tinyml
from tests.support.planted import install_defective, with_changed_weight
from tests.support.single_op import SingleOp, fed, needs_litert, needs_tflm
from tinyml_cli.comparing import against
from tinyml_runtime import BuiltinOperator, Interpreter, load_model, write_model
from tinyml_runtime.comparison.foreign import FOREIGN_RUNTIMES, ForeignRuntime

DIGITS, FLOAT = EXAMPLES / "digits.tflite", EXAMPLES / "digits_float.tflite"
SAMPLES, LABELS = EXAMPLES / "digits_samples.npz", EXAMPLES / "digits_labels.npy"
CMSIS_NN = ("--against", "cmsis-nn")
OUTPUT_KEYS = {
    "index", "name", "elements", "mismatched", "max_abs_diff", "max_steps", "cosine", "sqnr_db",
    "top1_agreement",
}  # fmt: skip
LAYER_KEYS = {
    "subgraph", "op_index", "op", "tensor", "elements", "mismatched", "max_steps", "injected",
    "cause",
}  # fmt: skip


def _refused(outcome: Outcome, *words: str) -> None:
    """Usage or input is wrong: one line says so."""
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert len(outcome.err.splitlines()) == 1
    for word in words:
        assert word in outcome.err


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The digits model with another weight in operator 5."""
    path = tmp_path / "changed.tflite"
    path.write_bytes(write_model(with_changed_weight(load_model(DIGITS), 5)))
    return path


def test_the_report_has_what_scripts_rely_on(tinyml: Tinyml) -> None:
    outcome = tinyml("compare", DIGITS, *CMSIS_NN, "--samples", 4, "--layers", "--json")
    assert outcome.code == 0
    report = outcome.report
    assert report["schema"] == 1
    assert (report["kernels"], report["against"]) == ("reference", "cmsis-nn")
    assert (report["samples"], report["verdict"]) == (4, "identical")
    (output,) = report["outputs"]
    assert output.keys() >= OUTPUT_KEYS
    assert (output["elements"], output["mismatched"], output["max_steps"]) == (40, 0, 0)
    assert output["top1_agreement"] == 1.0
    assert output["histogram"]["0"] == 40
    assert [layer["op_index"] for layer in report["layers"]] == [*range(10)]
    assert all(layer.keys() >= LAYER_KEYS for layer in report["layers"])
    assert report["first_divergence"] is None


def test_without_layers_there_are_none(tinyml: Tinyml) -> None:
    report = tinyml("compare", DIGITS, *CMSIS_NN, "--json").report
    assert report["layers"] == []
    assert report["samples"] == 1


def test_a_defective_kernel_is_found_at_its_layer(
    tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_defective(monkeypatch)
    given = ("compare", DIGITS, "--against", "defective", "--samples", 20, "--layers")
    report = tinyml(*given, "--json").report
    assert report["first_divergence"] == 4
    assert [layer["op_index"] for layer in report["layers"] if layer["injected"]] == [4]
    assert report["layers"][4]["unexplained"] == report["layers"][4]["examined"] > 0
    shown = tinyml(*given)
    assert "the first that differs by itself is operator 4, DEPTHWISE_CONV_2D" in shown.out
    assert "100.0 %: none of the known rules; suspect a defect" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())


def test_a_changed_weight_is_found_at_its_layer(tinyml: Tinyml, changed: Path) -> None:
    given = ("compare", changed, "--against", DIGITS, "--samples", 20, "--layers", "--json")
    outcome = tinyml(*given)
    assert outcome.code == 1
    assert outcome.report["verdict"] == "differs"
    assert outcome.report["first_divergence"] == 5
    assert "10 by name and shape, 0 by position" in outcome.err


def test_the_tolerance_decides_the_verdict(tinyml: Tinyml, changed: Path) -> None:
    given = ("compare", changed, "--against", DIGITS, "--samples", 20, "--json")
    steps = tinyml(*given).report["outputs"][0]["max_steps"]
    assert steps > 1
    assert tinyml(*given, "--tolerance", steps - 1).code == 1
    within = tinyml(*given, "--tolerance", steps)
    assert within.code == 0
    assert within.report["verdict"] == "within-tolerance"


def test_random_samples_are_those_of_run_and_those_that_follow(tinyml: Tinyml) -> None:
    tinyml("run", DIGITS, "--seed", 3, "-o", "out.npz")
    with np.load("out.npz") as arrays:
        np.save("expected.npy", arrays["output_0"].argmax())
    given = ("compare", DIGITS, *CMSIS_NN, "--seed", 3, "--json")
    report = tinyml(*given, "--expect", "expected.npy").report
    assert report["scores"]["ours"]["accuracy"] == 1.0
    assert tinyml(*given, "--samples", 7).report["outputs"][0]["elements"] == 70


def test_a_float_model_beside_its_quantized_one_with_labels(tinyml: Tinyml) -> None:
    given = ("compare", DIGITS, "--against", FLOAT, "-i", SAMPLES, "--expect", LABELS)
    outcome = tinyml(*given, "--json")
    assert outcome.code == 1
    scores = outcome.report["scores"]
    assert (scores["ours"]["correct"], scores["theirs"]["correct"]) == (197, 197)
    assert scores["disagreements"] == []
    shown = tinyml(*given)
    assert "theirs   accuracy 98.5 % (197 of 200)" in shown.out


def test_samples_on_which_the_sides_disagree_are_named(tinyml: Tinyml, changed: Path) -> None:
    model = with_changed_weight(load_model(DIGITS), 8, weights=192)
    worse = changed.with_name("worse.tflite")
    worse.write_bytes(write_model(model))
    given = ("compare", DIGITS, "--against", worse, "-i", SAMPLES, "--expect", LABELS)
    report = tinyml(*given, "--json").report
    labels = np.load(LABELS)
    apart = report["scores"]["disagreements"]
    agreement = report["outputs"][0]["top1_agreement"]
    assert len(apart) == round(200 * (1 - agreement)) > 0
    for one in apart:
        assert one["ours"] != one["theirs"]
        assert one["expected"] == labels[one["sample"]]
    assert f"disagree on {len(apart)} sample" in tinyml(*given).out


def test_nan_is_counted_and_never_identical(tinyml: Tinyml, tmp_path: Path) -> None:
    model = models.adder(tmp_path)
    np.savez("x.npz", t0=np.array([[np.nan, 1]], np.float32), t1=np.ones((1, 2), np.float32))
    outcome = tinyml("compare", model, *CMSIS_NN, "-i", "x.npz", "--json")
    assert outcome.report["verdict"] == "within-tolerance"
    assert outcome.report["outputs"][0]["nan"] == {"ours": 1, "theirs": 1, "both": 1}
    shown = tinyml("compare", model, *CMSIS_NN, "-i", "x.npz").out
    assert "NaN: 1 here, 1 on the other side, 1 in the same places" in shown


def test_a_loop_is_compared_through_the_operator_that_runs_it(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    model = models.countdown(tmp_path)
    np.save("n.npy", np.array([3], np.int32))
    outcome = tinyml("compare", model, *CMSIS_NN, "-i", "n.npy", "--layers", "--json")
    assert outcome.report["verdict"] == "identical"
    assert [layer["op"] for layer in outcome.report["layers"]] == ["WHILE"]
    assert "layers are those of the main subgraph" in outcome.err


def test_an_operator_without_a_cause_is_written_as_a_model_that_shows_it(
    tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_defective(monkeypatch)
    given = ("compare", DIGITS, "--against", "defective", "--samples", 5, "--write-repro", "r")
    outcome = tinyml(*given)
    assert "op_4_DEPTHWISE_CONV_2D" in outcome.out
    folder = Path("r")
    written = {path.name for path in folder.iterdir()}
    assert written == {
        "op_4_DEPTHWISE_CONV_2D.tflite", "op_4_DEPTHWISE_CONV_2D.npz", "run.py", "README.md",
    }  # fmt: skip
    alone = Interpreter(load_model(folder / "op_4_DEPTHWISE_CONV_2D.tflite"))
    alone.allocate_tensors()
    with np.load(folder / "op_4_DEPTHWISE_CONV_2D.npz") as arrays:
        alone.set_input(arrays["input_0"])
        alone.invoke()
        np.testing.assert_array_equal(alone.output(0), arrays["ours_0"])
        assert (arrays["ours_0"] != arrays["theirs_0"]).sum() == 1
    _refused(tinyml(*given), "not empty", "--force")
    assert tinyml(*given, "--force").code in (0, 1)


@pytest.mark.oracle
@needs_litert
@needs_tflm
def test_the_script_beside_a_reproduction_runs_it_in_litert_and_tflm(
    tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    install_defective(monkeypatch)
    tinyml("compare", DIGITS, "--against", "defective", "--write-repro", "r", "--samples", 5)
    done = subprocess.run([sys.executable, "r/run.py"], capture_output=True, text=True, check=True)
    assert "TFLM, output 0: 0 of 512 elements differ from ours, 1 from the other" in done.stdout
    assert "LiteRT, reference kernels, output 0: " in done.stdout


@pytest.mark.oracle
@needs_tflm
def test_tflm_is_identical(tinyml: Tinyml) -> None:
    given = ("compare", DIGITS, "--against", "tflm", "-i", SAMPLES, "--layers", "--json")
    outcome = tinyml(*given)
    assert (outcome.code, outcome.report["verdict"]) == (0, "identical")
    assert not any(layer["injected"] for layer in outcome.report["layers"])


@pytest.mark.oracle
@needs_tflm
def test_floats_beside_tflm_are_within_rounding(tinyml: Tinyml) -> None:
    outcome = tinyml("compare", FLOAT, "--against", "tflm", "--samples", 3, "--json")
    assert outcome.code == 0
    (output,) = outcome.report["outputs"]
    assert output["max_steps"] is None
    assert 0 < output["max_relative_diff"] < 1e-4
    strict = tinyml("compare", FLOAT, "--against", "tflm", "--float-tolerance", "1e-12")
    assert strict.code == 1


@pytest.mark.oracle
@needs_litert
def test_litert_is_what_a_model_is_compared_with(tinyml: Tinyml) -> None:
    outcome = tinyml("compare", DIGITS, "-i", SAMPLES, "--layers", "--tolerance", 255, "--json")
    assert (outcome.code, outcome.report["against"]) == (0, "tflite")
    assert outcome.report["samples"] == 200
    assert all(layer["injected"] is not None for layer in outcome.report["layers"])


@pytest.mark.oracle
@needs_litert
def test_a_crash_of_litert_is_one_line(tinyml: Tinyml) -> None:
    # LiteRT checks a rescaling by more than 1 when it runs, and aborts.
    shapes = fed((2, 1), np.int8, 0.9), fed((2,), np.int8, 0.01)
    case = SingleOp(BuiltinOperator.SQUARED_DIFFERENCE, shapes, [fed((2, 2), np.int8, 1e-4)])
    Path("aborts.tflite").write_bytes(write_model(case.model()))
    outcome = tinyml("compare", "aborts.tflite", "--against", "tflite-ref", "--layers")
    assert outcome.code == 4
    assert outcome.err.startswith("error: tflite-ref crashed on this model (SIG")
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["tflite", "tflite-ref", "tflm", None])
def test_a_missing_extra_is_named(
    tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    runtime = FOREIGN_RUNTIMES[name or "tflite"]
    absent = ForeignRuntime(runtime.name, runtime.title, "no_such_package", runtime.extra)
    monkeypatch.setitem(against.FOREIGN_RUNTIMES, runtime.name, absent)
    given = () if name is None else ("--against", name)
    outcome = tinyml("compare", DIGITS, *given)
    _refused(outcome, f"pip install 'tinyml-cli[{runtime.extra}]'")
    assert tinyml("compare", DIGITS, *CMSIS_NN).code == 0


def test_bad_input_is_one_line(tinyml: Tinyml, tmp_path: Path) -> None:
    adder = models.adder(tmp_path)
    np.savez("one.npz", t0=np.zeros((1, 2), np.float32))
    np.save("wide.npy", np.zeros((1, 3, 5), np.float32))
    given = ("compare", adder, *CMSIS_NN)
    _refused(tinyml(*given, "-i", "one.npz"), "one.npz", "nothing for input 1 't1'", "--seed")
    assert tinyml(*given, "-i", "one.npz", "--seed", 1).code == 0
    _refused(tinyml(*given, "-i", "wide.npy"), "wide.npy")
    _refused(tinyml(*given, "-i", "one.npz", "--samples", 3), "--samples")
    _refused(tinyml(*given, "--samples", 0), "--samples takes a whole number from 1 on")
    _refused(tinyml(*given, "--tolerance", "x"), "--tolerance takes a whole number from 0 on")
    _refused(tinyml(*given, "--float-tolerance", -1), "--float-tolerance")
    _refused(tinyml("compare", adder, "--against", "cmsis"), "'cmsis'", "tflite", "cmsis-nn")
    _refused(tinyml("compare", adder, "--against", "no.tflite"), "no.tflite")
    _refused(tinyml("compare", adder, "--against", DIGITS), "different inputs")
    sine = EXAMPLES / "sine.tflite"
    _refused(tinyml("compare", DIGITS, "--against", sine), "shape [1, 8, 8, 1]", "[1, 1]")
    _refused(tinyml("compare", "-", "--against", "-"), "standard input")


def test_a_file_is_no_folder_for_reproductions(tinyml: Tinyml) -> None:
    Path("file").write_text("mine")
    _refused(tinyml("compare", DIGITS, *CMSIS_NN, "--write-repro", "file"), "no folder")
    _refused(tinyml("compare", DIGITS, *CMSIS_NN, "--write-repro", "a/b"), "no folder 'a'")
    _refused(tinyml("compare", DIGITS, "--against", FLOAT, "--write-repro", "r"), "same model")
    assert Path("file").read_text() == "mine"


def test_a_model_that_is_none_or_cannot_run_has_its_own_exit_code(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    Path("no.tflite").write_bytes(b"no model")
    assert tinyml("compare", DIGITS, "--against", "no.tflite").code == 3
    unsupported = models.unsupported(tmp_path)
    assert tinyml("compare", unsupported, *CMSIS_NN).code == 4


def test_health_says_what_a_quantization_loses_with_a_remedy(tinyml: Tinyml) -> None:
    given = ("compare", DIGITS, "--against", FLOAT, "-i", SAMPLES, "--health")
    report = tinyml(*given, "--json").report
    health = report["health"]
    assert report["layers"] == []
    assert {"unused-range", "saturated", "dead-channels", "sqnr-loss"} & {f["kind"] for f in health}
    assert any(finding["kind"] == "sqnr-loss" for finding in health)
    assert all(finding["words"] and finding["remedy"] for finding in health)
    harms = [finding["harm_db"] for finding in health]
    assert harms == sorted(harms, reverse=True)
    shown = tinyml(*given).out
    assert f"health: {len(health)} findings, worst first" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_health_needs_no_extra(tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = ForeignRuntime("tflite", "LiteRT", "no_such_package", "tflite")
    monkeypatch.setitem(against.FOREIGN_RUNTIMES, "tflite", absent)
    outcome = tinyml("compare", DIGITS, "--health", "--samples", 3, "--json")
    assert (outcome.code, outcome.report["against"]) == (0, "reference")
    assert outcome.report["health"] is not None
    assert not any(finding["kind"] == "sqnr-loss" for finding in outcome.report["health"])
    assert "random samples" in outcome.err
