"""`tinyml run --expect`: accuracy, confusion, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.cli.models import binary_classifier, classifier, identity


def one_hot_logits(folder: Path, classes: int, best: list[int]) -> None:
    """in.npy: for each sample, logits of which one is far above the others."""
    logits = np.full((len(best), classes), -100, np.int8)
    logits[np.arange(len(best)), best] = 100
    np.save(folder / "in.npy", logits)


def test_class_numbers_give_accuracy_and_confusion(tinyml: Tinyml, tmp_path: Path) -> None:
    one_hot_logits(tmp_path, 3, [0, 1, 1, 2])
    np.save(tmp_path / "y.npy", np.array([0, 1, 2, 2]))
    model = classifier(tmp_path, 3)
    score = tinyml("run", model, "-i", "in.npy", "--expect", "y.npy", "--json").report["score"]
    assert (score["correct"], score["samples"], score["accuracy"]) == (3, 4, 0.75)
    assert score["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert score["confused"] == [{"expected": 2, "predicted": 1, "samples": 1}]


def test_one_hot_rows_are_classes_too(tinyml: Tinyml, tmp_path: Path) -> None:
    one_hot_logits(tmp_path, 3, [0, 1])
    np.save(tmp_path / "y.npy", np.eye(3)[[0, 2]])
    model = classifier(tmp_path, 3)
    score = tinyml("run", model, "-i", "in.npy", "--expect", "y.npy", "--json").report["score"]
    assert score["accuracy"] == 0.5


def test_one_probability_decides_between_two_classes(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([-50, 50, 50], np.int8))
    (tmp_path / "y.csv").write_text("0\n1\n0\n")
    model = binary_classifier(tmp_path)
    score = tinyml("run", model, "-i", "in.npy", "--expect", "y.csv", "--json").report["score"]
    assert score["confusion"] == [[1, 1], [0, 1]]


def test_other_values_give_the_mean_absolute_error(tinyml: Tinyml, tmp_path: Path) -> None:
    model = identity(tmp_path, (1, 2), np.int8, 0.5, 0)
    np.save(tmp_path / "in.npy", np.array([[2, 4], [6, 8]], np.int8))
    # Real outputs are 1, 2, 3, 4.
    np.save(tmp_path / "y.npy", np.array([[1.5, 2], [3, 2.5]]))
    score = tinyml("run", model, "-i", "in.npy", "--expect", "y.npy", "--json").report["score"]
    assert (score["mean_absolute_error"], score["max_absolute_error"]) == (0.5, 1.5)


def test_the_report_shows_accuracy_and_a_matrix_with_labels(tinyml: Tinyml) -> None:
    arguments = ["-i", EXAMPLES / "digits_samples.npz", "--expect", EXAMPLES / "digits_labels.npy"]
    out = tinyml(
        "run", EXAMPLES / "digits.tflite", *arguments, "--labels", EXAMPLES / "digits.txt"
    ).out
    accuracy = float(out.partition("accuracy ")[2].split(" %")[0])
    assert accuracy > 95
    assert "expected \\ got" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_report_lists_the_worst_confusions_of_many_classes(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    one_hot_logits(tmp_path, 20, [3, 3, 5])
    np.save(tmp_path / "y.npy", np.array([4, 4, 5]))
    out = tinyml("run", classifier(tmp_path, 20), "-i", "in.npy", "--expect", "y.npy").out
    assert ["4", "3", "2"] in [line.split() for line in out.splitlines()]
    assert "accuracy 33.3 % (1 of 3)" in out


def test_the_report_shows_the_error_of_a_regression(tinyml: Tinyml) -> None:
    arguments = ["-i", EXAMPLES / "sine_samples.npz", "--expect", EXAMPLES / "sine_expected.npy"]
    out = tinyml("run", EXAMPLES / "sine.tflite", *arguments).out
    assert float(out.partition("mean absolute error ")[2].split(",")[0]) < 0.1


def test_a_class_that_the_output_does_not_have_is_an_error(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.array([3]))
    outcome = tinyml("run", classifier(tmp_path, 3), "--expect", "y.npy")
    assert outcome.code == 2
    assert "y.npy: class 3 of sample 0 is none of the output's 3 (0..2)" in outcome.err


def test_expected_values_of_another_size_are_an_error(tinyml: Tinyml, tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.zeros((2, 2)))
    outcome = tinyml("run", classifier(tmp_path, 3), "--expect", "y.npy")
    assert outcome.code == 2
    assert "y.npy: shape [2, 2] fits neither classes nor values of output 0" in outcome.err


def test_labels_must_be_as_many_as_the_classes(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\n")
    outcome = tinyml("run", classifier(tmp_path, 3), "--labels", "labels.txt")
    assert outcome.code == 2
    assert "labels.txt: 2 labels for as many classes, but output 0 has 3" in outcome.err
