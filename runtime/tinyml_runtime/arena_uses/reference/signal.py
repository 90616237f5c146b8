"""The audio front end: states whose sizes are in the options, which TFLM reads by their place.

Source: tflite-micro `signal/micro/kernels/*.cc`, `signal/src/circular_buffer.cc`,
`signal/src/rfft_*.cc`, `irfft_*.cc`; KissFFT 130 `kiss_fft.c`, `tools/kiss_fftr.c`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.model.flexbuffer import FlexMap
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT = 0

_INT16_BYTES, _INT32_BYTES, _INT64_BYTES = 2, 4, 8
_SAMPLE_BYTES = {
    int(TensorType.INT16): 2,
    int(TensorType.INT32): 4,
    int(TensorType.FLOAT32): 4,
}
# Of KissFFT's state: length, direction, and room for 32 factors and what follows each.
_FFT_HEADER_BYTES = (2 + 2 * 32) * 4
_FFT_POINTERS, _INVERSE_FLOAT_POINTERS = 3, 2


def _options(node: Node, *places: int) -> list[int]:
    options = FlexMap(node.custom_options)
    return [options.stored_integer(place) for place in places]


def _init_filter_bank(arena: ArenaContext, node: Node) -> None:
    (channels,) = _options(node, 0)
    arena.persistent((channels + 1) * _INT64_BYTES, "sums of channels")


def _init_subtraction(arena: ArenaContext, node: Node) -> None:
    (channels,) = _options(node, 4)
    arena.persistent(channels * _INT32_BYTES, "noise estimate")


def _init_stacker(arena: ArenaContext, node: Node) -> None:
    channels, left, right = _options(node, 0, 1, 2)
    _circular_buffer(arena, channels * (left + right + 1))


def _prepare_delay(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 o0")
    source = arena.input(node, INPUT)
    if source is not None:
        (delay,) = _options(node, 0)
        samples = source.shape[-1]
        _circular_buffers(arena, source.size // samples, samples + delay)


def _prepare_framer(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 o0 o1")
    source = arena.input(node, INPUT)
    if source is not None:
        size, step = _options(node, 0, 1)
        _circular_buffers(arena, source.size // source.shape[-1], -(-size // step) * step)


def _prepare_overlap_add(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 o0")
    source = arena.input(node, INPUT)
    if source is None:
        return
    frames, samples = source.shape[-2:]
    streams = source.size // (frames * samples)
    arena.persistent(streams * arena.abi.pointer.bytes, "states")
    for _ in range(streams):
        arena.persistent(samples * source.dtype.itemsize, "sums of samples")


def _circular_buffers(arena: ArenaContext, streams: int, capacity: int) -> None:
    for _ in range(2):
        arena.persistent(streams * arena.abi.pointer.bytes, "states")
    for _ in range(streams):
        _circular_buffer(arena, capacity)


def _circular_buffer(arena: ArenaContext, capacity: int) -> None:
    """Twice the capacity, in 16 bits."""
    structure = arena.abi.layout("CircularBuffer").bytes
    arena.persistent(structure + 2 * capacity * _INT16_BYTES, "circular buffer")


def _init_rfft(arena: ArenaContext, node: Node) -> None:
    arena.persistent(_fft_bytes(arena, node), "FFT state")


def _init_irfft(arena: ArenaContext, node: Node) -> None:
    kind, _ = _options(node, 0, 1)
    is_float = kind == TensorType.FLOAT32
    own = _INVERSE_FLOAT_POINTERS * arena.abi.pointer.bytes if is_float else 0
    arena.persistent(own + _fft_bytes(arena, node), "FFT state")


def _fft_bytes(arena: ArenaContext, node: Node) -> int:
    """Pointers, the state of an FFT of half the length, a buffer and more twiddle factors."""
    kind, length = _options(node, 0, 1)
    points = length // 2
    pairs = points + points * 3 // 2
    pointers = _FFT_POINTERS * arena.abi.pointer.bytes
    return pointers + _FFT_HEADER_BYTES + pairs * 2 * _SAMPLE_BYTES[kind]


def _prepare_rfft(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 o0")
    kind, length = _options(node, 0, 1)
    arena.scratch(length * _SAMPLE_BYTES[kind])


SIGNAL_DELAY = ArenaUse("TFLMSignalFrontendDelayParams", prepare=_prepare_delay)
SIGNAL_FILTER_BANK = ArenaUse(
    "TFLMSignalFilterBankParams", "i0 i1 i2 i3 i4 i5 o0", init=_init_filter_bank
)
SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION = ArenaUse(
    "TFLMSignalSpectralSubtractionParams", "i0 o0 o1", init=_init_subtraction
)
SIGNAL_FRAMER = ArenaUse("TFLMSignalFramerParams", prepare=_prepare_framer)
SIGNAL_IRFFT = ArenaUse("TfLiteAudioFrontendIrfftParams", "i0 o0", init=_init_irfft)
SIGNAL_OVERLAP_ADD = ArenaUse("TFLMSignalOverlapAddParams", prepare=_prepare_overlap_add)
SIGNAL_RFFT = ArenaUse("TfLiteAudioFrontendRfftParams", init=_init_rfft, prepare=_prepare_rfft)
SIGNAL_STACKER = ArenaUse("TFLMSignalStackerParams", "i0 o0 o1", init=_init_stacker)
