"""TFLite_Detection_PostProcess: encoded boxes and class scores become a list of detections.

Shapes    boxes [1, anchors, 4 or more], scores [1, anchors, classes or 1 + classes], anchors
          [anchors, 4] -> boxes [1, detections, 4], classes [1, detections], scores [1, detections],
          number of detections [1]
Types     float32
Units     boxes and anchors come as centre and size: y, x, height, width; a box's centre is scaled
          by its anchor, its size the logarithm of a scaled ratio; they go as top, left, bottom,
          right
Source    tflite-micro `micro/kernels/detection_postprocess.cc`

What follows the last detection is zero; TFLM leaves there what was in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.kernels.non_max_suppression import Boxes, select_boxes
from tinyml_runtime.model.flatbuffer import Defect
from tinyml_runtime.model.flexbuffer import FlexMap
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_type,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType

BOX_ENCODINGS, CLASS_SCORES, ANCHORS = 0, 1, 2
DETECTION_BOXES, DETECTION_CLASSES, DETECTION_SCORES, DETECTION_COUNT = 0, 1, 2, 3

COORDINATES = 4
DEFAULT_DETECTIONS_PER_CLASS = 100


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """The custom options; `scales` divide y, x, height and width."""

    max_detections: int
    max_classes_per_detection: int
    detections_per_class: int
    use_regular_nms: bool
    score_threshold: float
    overlap_threshold: float
    classes: int
    scales: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Detections:
    """What was found: indices of boxes, classes and scores, and where in the outputs they go."""

    boxes: Array
    classes: Array
    scores: Array
    slots: Array


def prepare(context: PrepareContext, node: Node) -> DetectionOptions:
    """Check the operands against the options."""
    check(len(node.inputs) == 3, f"there are {len(node.inputs)} inputs, not 3")
    check(len(node.outputs) == 4, f"there are {len(node.outputs)} outputs, not 4")
    options = _read_options(node)
    inputs = [context.input(node, position) for position in range(3)]
    outputs = [context.output(node, position) for position in range(4)]
    for role, tensors in (("input", inputs), ("output", outputs)):
        for position, tensor in enumerate(tensors):
            check_type(tensor, f"{role} {position}", TensorType.FLOAT32)
    _check_inputs(inputs, options)
    _check_options(options)
    _check_outputs(outputs, options, inputs[BOX_ENCODINGS].shape[1])
    return options


def evaluate(context: EvalContext, node: Node, data: DetectionOptions) -> None:
    """Decode the boxes, choose the best, list them."""
    encodings, scores, anchors = (context.input(node, position).values for position in range(3))
    boxes = Boxes.of(_decode(encodings[0], anchors, data))
    if boxes.has_empty:
        raise RunError(
            f"{node.operator} (subgraph {node.subgraph}, node {node.index}): "
            "a box has no height or no width"
        )
    # A first column beyond the classes is the background.
    scores = scores[0, :, scores.shape[2] - data.classes :]
    find = _find_by_class if data.use_regular_nms else _find_by_box
    found = find(boxes, scores, data)
    _store(context, node, DETECTION_BOXES, found.slots, boxes.corners[found.boxes])
    _store(context, node, DETECTION_CLASSES, found.slots, found.classes[:, None])
    _store(context, node, DETECTION_SCORES, found.slots, found.scores[:, None])
    context.output(node, DETECTION_COUNT).values.reshape(-1)[0] = len(found.boxes)


def _find_by_class(boxes: Boxes, scores: Array, data: DetectionOptions) -> Detections:
    """The best of all classes, each of which has its own choice of boxes."""
    chosen = [
        select_boxes(
            boxes, column, data.score_threshold, data.overlap_threshold, data.detections_per_class
        )
        for column in scores.T
    ]
    indices = np.concatenate(chosen)
    classes = np.repeat(np.arange(data.classes), [len(part) for part in chosen])
    values = scores[indices, classes]
    best = np.argsort(-values, kind="stable")[: data.max_detections]
    return Detections(indices[best], classes[best], values[best], np.arange(len(best)))


def _find_by_box(boxes: Boxes, scores: Array, data: DetectionOptions) -> Detections:
    """The boxes with the best class scores, each with its best classes."""
    count = min(data.max_classes_per_detection, data.classes)
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    best = np.take_along_axis(scores, ranked[:, :1], axis=1)[:, 0]
    chosen = select_boxes(
        boxes, best, data.score_threshold, data.overlap_threshold, data.max_detections
    )
    indices = np.repeat(chosen, count)
    classes = ranked[chosen].reshape(-1)
    listed = np.arange(len(indices))
    # With several classes a box TFLM leaves gaps in its list.
    return Detections(indices, classes, scores[indices, classes], listed * count + listed % count)


def _decode(encodings: Array, anchors: Array, data: DetectionOptions) -> Array:
    """Corners of the boxes; in double precision up to the centre and half the size."""
    count = len(encodings)
    anchors = anchors.reshape(-1)[: count * COORDINATES].reshape(count, COORDINATES)
    centre, size = slice(0, 2), slice(2, 4)
    scaled = encodings[:, :COORDINATES] / np.array(data.scales)
    sizes = anchors[:, size].astype(np.float64)
    centres = (scaled[:, centre] * sizes + anchors[:, centre]).astype(np.float32)
    halves = (0.5 * np.exp(scaled[:, size]) * sizes).astype(np.float32)
    return np.concatenate([centres - halves, centres + halves], axis=1)


def _store(context: EvalContext, node: Node, position: int, slots: Array, rows: Array) -> None:
    """Write rows into the slots that the output has, and zeros into the others."""
    values = context.output(node, position).values.reshape(-1)
    values.fill(0.0)
    width = rows.shape[1]
    capacity = values.size // width
    inside = slots < capacity
    values[: capacity * width].reshape(capacity, width)[slots[inside]] = rows[inside]


def _read_options(node: Node) -> DetectionOptions:
    try:
        options = FlexMap(node.custom_options)
        per_class = options.value("detections_per_class")
        return DetectionOptions(
            max_detections=_integer(options, "max_detections"),
            max_classes_per_detection=_integer(options, "max_classes_per_detection"),
            detections_per_class=DEFAULT_DETECTIONS_PER_CLASS
            if per_class is None
            else _integer(options, "detections_per_class"),
            use_regular_nms=bool(_integer(options, "use_regular_nms")),
            score_threshold=_number(options, "nms_score_threshold"),
            overlap_threshold=_number(options, "nms_iou_threshold"),
            classes=_integer(options, "num_classes"),
            scales=tuple(_number(options, f"{name}_scale") for name in "yxhw"),
        )
    except Defect as defect:
        raise NodeError(f"the custom options cannot be read: {defect.reason}") from None


def _number(options: FlexMap, key: str) -> float:
    """A float32; 0 where the options do not have it."""
    value = options.value(key)
    if isinstance(value, str):
        raise NodeError(f"the option {key} is a text")
    with np.errstate(over="ignore"):
        return float(np.float32(value or 0.0))


def _integer(options: FlexMap, key: str) -> int:
    value = options.value(key)
    if isinstance(value, str) or not isfinite(value or 0):
        raise NodeError(f"the option {key} is no number")
    whole = int(value or 0)
    check(-(2**31) <= whole < 2**31, f"the option {key} is {whole}, no 32-bit integer")
    return whole


def _check_inputs(inputs: Sequence[Tensor], options: DetectionOptions) -> None:
    encodings, scores, anchors = inputs
    for role, tensor, rank in (
        ("boxes", encodings, 3),
        ("scores", scores, 3),
        ("anchors", anchors, 2),
    ):
        check(
            len(tensor.shape) == rank, f"the {role} have {len(tensor.shape)} dimensions, not {rank}"
        )
    batch, count, coordinates = encodings.shape
    check(batch == 1, f"there is a batch of {batch}; this operator takes 1")
    check(coordinates >= COORDINATES, f"the boxes have {coordinates} coordinates, not 4")
    check(
        scores.shape[:2] == (1, count),
        f"the scores have shape {list(scores.shape)}, there are {count} boxes",
    )
    check(anchors.size >= count * COORDINATES, f"there are too few anchors for {count} boxes")
    columns = scores.shape[2]
    check(
        options.classes > 0 and options.classes in (columns, columns - 1),
        f"there are scores of {columns} classes, {options.classes} are to be told apart",
    )


def _check_options(options: DetectionOptions) -> None:
    check(options.max_detections >= 0, f"max_detections is {options.max_detections}")
    overlap = options.overlap_threshold
    check(0.0 < overlap <= 1.0, f"nms_iou_threshold is {overlap}, not above 0 and at most 1")
    if options.use_regular_nms:
        per_class = options.detections_per_class
        check(per_class > 0, f"detections_per_class is {per_class}, not positive")
    else:
        per_box = options.max_classes_per_detection
        check(per_box > 0, f"max_classes_per_detection is {per_box}, not positive")


def _check_outputs(outputs: Sequence[Tensor], options: DetectionOptions, boxes: int) -> None:
    listed = options.max_detections
    if not options.use_regular_nms:
        per_box = min(options.max_classes_per_detection, options.classes)
        listed = min(listed, boxes) * per_box
    for position, width in enumerate((COORDINATES, 1, 1)):
        check(
            outputs[position].size >= listed * width,
            f"output {position} {list(outputs[position].shape)} cannot hold {listed} detections",
        )
    check(outputs[DETECTION_COUNT].size > 0, "the output for the number of detections is empty")


DETECTION_POSTPROCESS = Registration("TFLite_Detection_PostProcess", prepare, evaluate)
