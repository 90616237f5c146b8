"""Boxes that overlap a better one are left out, as TFLM does it for one class of objects.

Source: tflite-micro `micro/kernels/detection_postprocess.cc`. A box is [top, left, bottom, right],
all float32. Comparisons are written as TFLM's, whose results count where a number is not one (NaN).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.tensor import Array

TOP, LEFT, BOTTOM, RIGHT = range(4)


@dataclass(frozen=True, slots=True)
class Boxes:
    """Corners of boxes, one row each, and their areas."""

    corners: Array
    areas: Array

    @classmethod
    def of(cls, corners: Array) -> Boxes:
        """Boxes with these corners."""
        heights = corners[:, BOTTOM] - corners[:, TOP]
        return cls(corners, heights * (corners[:, RIGHT] - corners[:, LEFT]))

    @property
    def has_empty(self) -> bool:
        """Whether a box has no height or no width."""
        first, second = self.corners[:, (TOP, LEFT)], self.corners[:, (BOTTOM, RIGHT)]
        return bool((first >= second).any())


def select_boxes(
    boxes: Boxes, scores: Array, score_threshold: float, overlap_threshold: float, most: int
) -> Array:
    """Indices of at most `most` boxes, best scores first, of which no two overlap too much."""
    kept = np.flatnonzero(scores >= np.float32(score_threshold))
    order = kept[np.argsort(-scores[kept], kind="stable")]
    selected: list[int] = []
    while order.size and len(selected) < most:
        best, order = order[0], order[1:]
        selected.append(int(best))
        order = order[~(_overlaps(boxes, best, order) > np.float32(overlap_threshold))]
    return np.array(selected, np.intp)


def _overlaps(boxes: Boxes, one: int, others: Array) -> Array:
    """Intersection over union of a box with each of the others."""
    box, corners = boxes.corners[one], boxes.corners[others]
    area, areas = boxes.areas[one], boxes.areas[others]
    height = _smaller(box[BOTTOM], corners[:, BOTTOM]) - _larger(box[TOP], corners[:, TOP])
    width = _smaller(box[RIGHT], corners[:, RIGHT]) - _larger(box[LEFT], corners[:, LEFT])
    zero = np.zeros((), np.float32)
    intersection = _larger(height, zero) * _larger(width, zero)
    empty = (area <= 0) | (areas <= 0)
    return np.where(empty, zero, intersection / (area + areas - intersection))


def _larger(first: Array, second: Array) -> Array:
    return np.where(first < second, second, first)


def _smaller(first: Array, second: Array) -> Array:
    return np.where(second < first, second, first)
