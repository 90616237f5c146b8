"""Images as values of an input [height, width, channels], through Pillow (extra `image`)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinyml_cli.inputs.paths import reason
from tinyml_runtime import Array, InputError, Tensor
from tinyml_runtime.quantization import is_quantized, real_range, stored_range

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_NAMES = {"L": "grayscale", "RGB": "RGB", "RGBA": "RGBA"}
_TOLERANCE = 0.05
_HIGHEST_PIXEL = 255


class PixelRange(NamedTuple):
    """The real values that pixels 0 and 255 become."""

    low: float
    high: float


RANGES = {
    "unit": PixelRange(0, 1),
    "signed": PixelRange(-1, 1),
    "raw": PixelRange(0, 255),
    "centered": PixelRange(-128, 127),
}


def read_pixels(path: Path, shape: Sequence[int], resize: bool) -> Array:
    """Pixels 0..255 in the shape of an image input; with `resize`, whatever the image is.

    InputError where Pillow is missing or cannot read the file, or the image does not fit.
    """
    height, width, channels = _image_shape(path, shape)
    image = _open(path)
    mode, size = _MODES[channels], (width, height)
    if resize:
        from PIL.Image import Resampling

        image = image.convert(mode)
        image = image if image.size == size else image.resize(size, Resampling.BILINEAR)
    if (image.mode, image.size) != (mode, size):
        raise InputError(
            f"{path}: {image.width}x{image.height} {_NAMES[image.mode]}, the input takes "
            f"{width}x{height} {_NAMES[mode]}; --resize converts it"
        )
    return np.asarray(image).reshape(tuple(shape))


def choose_range(tensor: Tensor) -> str:
    """The range whose ends are about those of the tensor's real values; for floats, `unit`.

    InputError where a quantized tensor takes none of the ranges.
    """
    if tensor.dtype.kind == "f":
        return "unit"
    low, high = real_range(tensor) if is_quantized(tensor) else stored_range(tensor)
    slack = _TOLERANCE * (high - low)
    for name, pixels in RANGES.items():
        if abs(pixels.low - low) <= slack and abs(pixels.high - high) <= slack:
            return name
    raise InputError(
        f"the input takes {low:.4g}..{high:.4g}, which says nothing about pixels: "
        f"choose with --image-range {'|'.join(RANGES)}"
    )


def to_values(pixels: Array, range_name: str) -> Array:
    """Real values of pixels 0..255; whole numbers stay integers."""
    ends = RANGES[range_name]
    if range_name in ("raw", "centered"):
        return pixels.astype(np.int32) + int(ends.low)
    step = np.float32((ends.high - ends.low) / _HIGHEST_PIXEL)
    return pixels.astype(np.float32) * step + np.float32(ends.low)


def _image_shape(path: Path, shape: Sequence[int]) -> tuple[int, int, int]:
    """Height, width and channels of an input [1, h, w, c], [h, w, c], [1, h, w] or [h, w]."""
    inner = tuple(shape[1:]) if len(shape) > 2 and shape[0] == 1 else tuple(shape)
    if len(inner) == 2:
        inner = (*inner, 1)
    if len(inner) != 3 or inner[2] not in _MODES:
        raise InputError(f"{path}: an image does not fit an input of shape {list(shape)}")
    return inner[0], inner[1], inner[2]


def _open(path: Path) -> Image:
    try:
        from PIL import Image
    except ImportError:
        raise InputError(f"{path}: images need Pillow: install tinyml-cli[image]") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _plain(path, image)
    except InputError:
        raise
    except Exception as error:  # decoders raise whatever they like on damaged files
        raise InputError(f"{path}: no readable image ({reason(error)})") from None


def _plain(path: Path, image: Image) -> Image:
    """The decoded image in one of the modes that inputs have: how a file stores it is no matter."""
    if image.mode.startswith(("I", "F")):
        raise InputError(f"{path}: more than 8 bits per channel; convert it to 8 bits")
    if image.mode in _NAMES and image.mode != "RGBA":
        return image.copy()
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "LA" and _is_opaque(image):
        return image.convert("L")
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    full = image.convert("RGBA" if has_alpha else "RGB")
    return full.convert("RGB") if has_alpha and _is_opaque(full) else full


def _is_opaque(image: Image) -> bool:
    lowest: Any = image.getchannel("A").getextrema()[0]
    return lowest == _HIGHEST_PIXEL
