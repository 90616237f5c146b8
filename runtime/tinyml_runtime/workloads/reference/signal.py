"""The audio front end's operators: loops over their elements, and n log n of transforms.

Source    tflite-micro `signal/src`, `signal/micro/kernels`
"""

from __future__ import annotations

from math import log2

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand


def _count(name: str, *, of_input: bool = False) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
        kind = f"signal_{name}_{source.type.name.lower()}"
        return (LoopWork(f"{kind}.element", trips=source.size if of_input else output.size),)

    return count


def _count_transform(context: WorkContext, node: Node) -> Workload:
    source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
    kind = f"signal_rfft_{source.type.name.lower()}"
    return (LoopWork(f"{kind}.step", trips=output.size * log2(max(2, output.size))),)


WINDOW = _count("window")
FFT_AUTO_SCALE = _count("fft_auto_scale")
RFFT = _count_transform
ENERGY = _count("energy")
FILTER_BANK = _count("filter_bank", of_input=True)
FILTER_BANK_SQUARE_ROOT = _count("filter_bank_square_root")
FILTER_BANK_SPECTRAL_SUBTRACTION = _count("filter_bank_spectral_subtraction")
PCAN = _count("pcan")
FILTER_BANK_LOG = _count("filter_bank_log")
