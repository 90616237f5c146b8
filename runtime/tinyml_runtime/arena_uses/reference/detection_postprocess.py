"""TFLite_Detection_PostProcess: eleven buffers to work in.

Source: tflite-micro `micro/kernels/detection_postprocess.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.model.flexbuffer import FlexMap
from tinyml_runtime.registration import Node

BOX_ENCODINGS, CLASS_SCORES = 0, 1

_COORDINATES = 4
_ELEMENT_BYTES = 4


def _prepare(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 i1 i2")
    encodings, scores = arena.input(node, BOX_ENCODINGS), arena.input(node, CLASS_SCORES)
    if encodings is None or scores is None:
        return
    options = FlexMap(node.custom_options)
    classes, detections = (
        int(_number(options, "num_classes")),
        int(_number(options, "max_detections")),
    )
    boxes = encodings.shape[1]
    arena.scratch(boxes)
    for elements in (
        boxes * _COORDINATES,
        scores.shape[1] * scores.shape[2],
        boxes,
        boxes,
        detections * boxes,
        detections * boxes,
        boxes,
        detections * boxes,
        max(classes, detections) * boxes,
        min(boxes, detections) * boxes,
    ):
        arena.scratch(elements * _ELEMENT_BYTES)


def _number(options: FlexMap, key: str) -> float:
    value = options.value(key)
    return value if isinstance(value, int | float) else 0


DETECTION_POSTPROCESS = ArenaUse("detection_postprocess.OpData", prepare=_prepare)
