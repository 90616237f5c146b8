"""SOFTMAX of CMSIS-NN: as the reference, with a larger structure.

Source: tflite-micro `micro/kernels/cmsis_nn/softmax.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaUse
from tinyml_runtime.arena_uses.reference.softmax import prepare

SOFTMAX = ArenaUse("CMSISNNSoftmaxParams", prepare=prepare)
