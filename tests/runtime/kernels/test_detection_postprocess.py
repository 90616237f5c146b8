"""TFLite_Detection_PostProcess: by hand, beside TFLM, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tests.support.graphs import prepared
from tests.support.signal_op import flexbuffer
from tests.support.single_op import (
    Operand,
    SingleOp,
    constant,
    fed,
    needs_tflm,
    run_ours,
    run_stacked,
    run_tflm,
)
from tinyml_runtime.errors import RunError, UnsupportedModelError
from tinyml_runtime.tensor import Array

DETECTION = "TFLite_Detection_PostProcess"
OPTIONS: dict[str, Any] = {
    "max_detections": 3,
    "max_classes_per_detection": 1,
    "nms_score_threshold": 0.0,
    "nms_iou_threshold": 0.5,
    "num_classes": 2,
    "y_scale": 10.0,
    "x_scale": 10.0,
    "h_scale": 5.0,
    "w_scale": 5.0,
}

# Centres and sizes: two boxes that nearly cover each other, one beside them, one far away.
ANCHORS = np.array(
    [[0.5, 0.5, 1.0, 1.0], [0.5, 0.55, 1.0, 1.0], [0.5, 1.5, 1.0, 1.0], [8.0, 8.0, 2.0, 4.0]],
    np.float32,
)
CORNERS = [
    [0.0, 0.0, 1.0, 1.0],
    [0.0, 0.05, 1.0, 1.05],
    [0.0, 1.0, 1.0, 2.0],
    [7.0, 6.0, 9.0, 10.0],
]
NO_SHIFT = np.zeros((1, 4, 4), np.float32)
# Background, then two classes.
SCORES = np.array(
    [[[0.0, 0.9, 0.8], [0.0, 0.7, 0.95], [0.0, 0.2, 0.1], [0.0, 0.3, 0.4]]], np.float32
)


def detection(
    anchors: Array = ANCHORS,
    columns: int = 3,
    slots: int = 3,
    coordinates: int = 4,
    **options: Any,
) -> SingleOp:
    """The operator with room for `slots` detections."""
    count = len(anchors)
    return SingleOp(
        DETECTION,
        [
            fed((1, count, coordinates), np.float32),
            fed((1, count, columns), np.float32),
            constant(anchors),
        ],
        [
            fed((1, slots, 4), np.float32),
            fed((1, slots), np.float32),
            fed((1, slots), np.float32),
            fed((1,), np.float32),
        ],
        custom_options=flexbuffer(**{**OPTIONS, **options}),
    )


def _found(case: SingleOp, scores: Array = SCORES, shifts: Array = NO_SHIFT) -> list[Any]:
    boxes, *others = run_ours(case.model(), [shifts, scores])
    rows = boxes[0].astype(float).round(4).tolist()
    return [rows, *(array.reshape(-1).astype(float).round(4).tolist() for array in others)]


def test_keeps_the_best_of_boxes_that_overlap() -> None:
    # Box 1 is best (0.95) and hides box 0; then come box 3 (0.4) and box 2 (0.2).
    boxes, classes, scores, count = _found(detection())
    assert boxes == [CORNERS[1], CORNERS[3], CORNERS[2]]
    assert classes == [1.0, 1.0, 0.0]
    assert scores == [0.95, 0.4, 0.2]
    assert count == [3.0]


def test_each_class_may_choose_for_itself() -> None:
    # Class 0 keeps box 0 (0.9), class 1 box 1 (0.95): the overlap counts within a class only.
    boxes, classes, scores, count = _found(detection(use_regular_nms=True))
    assert boxes == [CORNERS[1], CORNERS[0], CORNERS[3]]
    assert classes == [1.0, 0.0, 1.0]
    assert scores == [0.95, 0.9, 0.4]
    assert count == [3.0]


def test_detections_per_class_are_limited() -> None:
    found = _found(detection(use_regular_nms=True, detections_per_class=1))
    assert found[2] == [0.95, 0.9, 0.0]
    assert found[3] == [2.0]


def test_what_follows_the_last_detection_is_zero() -> None:
    case = detection(nms_score_threshold=0.5)
    interpreter = prepared(case.model())
    for scores in (SCORES + 1.0, SCORES):
        interpreter.set_input(NO_SHIFT, 0)
        interpreter.set_input(scores, 1)
        interpreter.invoke()
    assert interpreter.output(2)[0, 1:].tolist() == [0.0, 0.0]
    assert interpreter.output(3).tolist() == [1.0]


def test_several_classes_of_a_box_leave_gaps_as_in_tflm() -> None:
    case = detection(slots=12, max_classes_per_detection=2)
    boxes, classes, _, count = run_ours(case.model(), [NO_SHIFT, SCORES])
    assert count.tolist() == [6.0]
    # The n-th detection, of 2 classes a box, stands at 2 n + n % 2.
    assert classes[0].tolist() == [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    assert boxes[0, 3].tolist() == pytest.approx(CORNERS[1], abs=1e-6)


def test_a_box_is_moved_and_resized_by_its_encoding() -> None:
    shifts = NO_SHIFT.copy()
    # Anchor 3 is 2 high and 4 wide: its centre moves by 10/10 * 2 and -5/10 * 4, its size is
    # multiplied by exp(5/5) and exp(0).
    shifts[0, 3] = [10.0, -5.0, 5.0, 0.0]
    boxes = _found(detection(), shifts=shifts)[0]
    assert boxes[1] == pytest.approx([10.0 - np.e, 4.0, 10.0 + np.e, 8.0], abs=1e-4)


def test_a_box_without_an_area_stops_the_run() -> None:
    anchors = ANCHORS.copy()
    anchors[2, 2] = 0.0
    with pytest.raises(RunError, match="no height or no width"):
        run_ours(detection(anchors).model(), [NO_SHIFT, SCORES])


def test_a_batch_gives_what_single_samples_give() -> None:
    case = detection()
    alone = run_ours(case.model(), [NO_SHIFT, SCORES])
    for mine, other in zip(run_stacked(case.model(), [NO_SHIFT, SCORES]), alone, strict=True):
        np.testing.assert_array_equal(mine[0], other)


@dataclass(frozen=True)
class Random:
    """A random case; `levels` is how many different scores there are, for ties."""

    anchors: int = 50
    classes: int = 4
    background: int = 1
    levels: int = 1 << 20
    coordinates: int = 4
    options: dict[str, Any] = field(default_factory=dict[str, Any])


RANDOM = [
    Random(),
    Random(background=0),
    Random(levels=5),
    Random(coordinates=6),
    Random(anchors=2),
    Random(classes=1),
    Random(options={"max_detections": 100}),
    Random(options={"max_detections": 0}),
    Random(options={"nms_iou_threshold": 1.0}),
    Random(options={"nms_score_threshold": 0.9}),
    Random(options={"nms_score_threshold": 2.0}),
    Random(options={"max_classes_per_detection": 2, "max_detections": 5}),
    Random(options={"use_regular_nms": True}),
    Random(options={"use_regular_nms": True}, levels=4),
    Random(options={"use_regular_nms": True, "detections_per_class": 2}),
    Random(options={"use_regular_nms": True, "max_detections": 30}, background=0),
]


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", RANDOM, ids=repr)
def test_detections_are_those_of_tflm(case: Random) -> None:
    generator = np.random.default_rng(0)
    centres = generator.random((case.anchors, 2)) * 3.0
    sizes = generator.random((case.anchors, 2)) + 0.2
    anchors = np.concatenate([centres, sizes], axis=1).astype(np.float32)
    columns = case.classes + case.background
    listed = case.options.get("max_classes_per_detection", 1) ** 2
    slots = max(1, case.options.get("max_detections", 3) * listed)
    operator = detection(
        anchors, columns, slots, case.coordinates, num_classes=case.classes, **case.options
    )
    shifts = generator.standard_normal((1, case.anchors, case.coordinates)).astype(np.float32)
    scores = generator.integers(0, case.levels, (1, case.anchors, columns)) / case.levels
    feeds = [shifts, scores.astype(np.float32)]
    ours, theirs = run_ours(operator.model(), feeds), run_tflm(operator.model(), feeds)
    np.testing.assert_array_equal(ours[3], theirs[3])
    # What TFLM leaves between and behind the detections was in memory before.
    used = np.flatnonzero(ours[2][0])
    assert case.options.get("nms_score_threshold", 0.0) > 1.0 or used.size or slots == 1
    for mine, other in zip(ours[:3], theirs[:3], strict=True):
        np.testing.assert_array_equal(mine[0, used], other[0, used])


_SHORT = fed((1, 2), np.float32)


def _with_operand(position: int, operand: Operand, **options: Any) -> SingleOp:
    case = detection(**options)
    inputs, outputs = list(case.inputs), list(case.outputs)
    if position < 3:
        inputs[position] = operand
    else:
        outputs[position - 3] = operand
    return SingleOp(DETECTION, inputs, outputs, custom_options=case.custom_options)


REFUSED = [
    (SingleOp(DETECTION, detection().inputs, detection().outputs), "custom options cannot be read"),
    (SingleOp(DETECTION, detection().inputs[:2], detection().outputs), "there are 2 inputs, not 3"),
    (SingleOp(DETECTION, detection().inputs, detection().outputs[:3]), "there are 3 outputs"),
    (_with_operand(0, fed((1, 4, 4), np.uint8)), "input 0 is UINT8"),
    (_with_operand(0, fed((4, 4), np.float32)), "the boxes have 2 dimensions, not 3"),
    (_with_operand(0, fed((2, 4, 4), np.float32)), "a batch of 2"),
    (_with_operand(0, fed((1, 4, 3), np.float32)), "the boxes have 3 coordinates"),
    (_with_operand(1, fed((1, 5, 3), np.float32)), "there are 4 boxes"),
    (_with_operand(2, fed((3, 4), np.float32)), "too few anchors for 4 boxes"),
    (_with_operand(3, fed((1, 2, 4), np.float32)), "output 0 .* cannot hold 3 detections"),
    (_with_operand(4, _SHORT), r"output 1 \[1, 2\] cannot hold 3 detections"),
    (detection(max_classes_per_detection=2), "cannot hold 6 detections"),
    (detection(max_classes_per_detection=0), "max_classes_per_detection is 0"),
    (detection(use_regular_nms=True, detections_per_class=0), "detections_per_class is 0"),
    (detection(max_detections=-1), "max_detections is -1"),
    (detection(max_detections=2**40), "max_detections is 1099511627776, no 32-bit integer"),
    (detection(max_detections=float("nan")), "max_detections is no number"),
    (detection(max_detections="three"), "max_detections is no number"),
    (detection(y_scale="one"), "y_scale is a text"),
    (detection(nms_iou_threshold=0.0), "nms_iou_threshold is 0.0"),
    (detection(nms_iou_threshold=1.5), "nms_iou_threshold is 1.5"),
    (detection(num_classes=1), "scores of 3 classes, 1 are to be told apart"),
    (detection(num_classes=4), "scores of 3 classes, 4 are to be told apart"),
]


@pytest.mark.parametrize(("case", "reason"), REFUSED)
def test_refuses_what_cannot_run(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(case.model())
