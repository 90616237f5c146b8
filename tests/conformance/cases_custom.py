"""Custom operators beside those of the audio front end: buffers, decoders, detections."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.cases import Case
from tests.runtime.kernels.test_circular_buffer import buffered, cascade
from tests.runtime.kernels.test_decode import CASES as DECODED
from tests.runtime.kernels.test_detection_postprocess import detection
from tests.support.signal_op import flexbuffer
from tinyml_runtime.model.schema import Model

BOXES = 50
# What is particular about a case: options, and how many different scores there are.
DETECTIONS: dict[str, dict[str, Any]] = {
    "": {},
    "few scores": {"levels": 5},
    "no background": {"background": 0},
    "six coordinates": {"coordinates": 6},
    "one class": {"classes": 1},
    "ten detections": {"max_detections": 10},
    "overlaps that do not matter": {"nms_iou_threshold": 1.0},
    "high scores": {"nms_score_threshold": 0.9},
    "two classes each": {"max_classes_per_detection": 2, "max_detections": 5},
    "regular": {"use_regular_nms": True},
    "regular, few scores": {"use_regular_nms": True, "levels": 4},
    "regular, two of a class": {"use_regular_nms": True, "detections_per_class": 2},
    "regular, no background": {
        "use_regular_nms": True,
        "max_detections": 30,
        "background": 0,
    },
}


def _buffers() -> list[Case]:
    lengths = ([2, 2, 5], [2, 2, 2, 2, 2], [2, 5, 2, 2, 2, 2])
    return [
        *(
            Case("CIRCULAR_BUFFER", f"{steps} steps, every {cycles}", _buffered(steps, cycles), 9)
            for steps in (2, 5, 13, 25)
            for cycles in (1, 2, 3)
        ),
        *(
            Case("CIRCULAR_BUFFER", f"{steps} steps", buffered(steps, b""), 9)
            for steps in (2, 4, 5)
        ),
        *(
            Case("CIRCULAR_BUFFER", f"one after another, {each}", cascade(each, (2, 96)), 9)
            for each in lengths
        ),
    ]


def _buffered(steps: int, cycles: int) -> Model:
    return buffered(steps, flexbuffer(cycles_max=cycles))


def _decoded() -> list[Case]:
    return [Case("TFLM_DECODE", name, source) for name, (_, source) in DECODED]


def _detections() -> list[Case]:
    return [_detected(name, **settings) for name, settings in DETECTIONS.items()]


def _detected(
    label: str,
    classes: int = 4,
    background: int = 1,
    levels: int = 1 << 20,
    coordinates: int = 4,
    **options: Any,
) -> Case:
    generator = np.random.default_rng(len(label))
    centres, sizes = generator.random((BOXES, 2)) * 3.0, generator.random((BOXES, 2)) + 0.2
    columns = classes + background
    # TFLM leaves gaps in its list where a detection has several classes.
    slots = options.get("max_detections", 3) * options.get("max_classes_per_detection", 1) ** 2
    source = detection(
        np.concatenate([centres, sizes], axis=1).astype(np.float32),
        columns,
        slots,
        coordinates,
        num_classes=classes,
        **options,
    )
    shifts = generator.standard_normal((1, BOXES, coordinates)).astype(np.float32)
    scores = generator.integers(0, levels, (1, BOXES, columns)) / levels
    given = [[shifts, scores.astype(np.float32)]]
    return Case(str(source.operator), label, source, given=given)


CASES = [*_buffers(), *_decoded(), *_detections()]
