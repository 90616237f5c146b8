"""What a file is that is not a `.tflite` file, for a message that helps."""

from __future__ import annotations

import re

IDENTIFIER = b"TFL3"

_KINDS = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a WAV, WebP or AVI file"),
    (b"PK\x03\x04", "a ZIP archive; unpack it, or convert the Keras model that it holds"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"\x89HDF\r\n", "an HDF5 file, as Keras saves models; convert it with TFLiteConverter"),
    (b"\x08\x01\x12", "a TensorFlow SavedModel; convert it with TFLiteConverter"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself with 'git lfs pull'"),
    (b"<!DOCTYPE", "a web page; download the raw file"),
    (b"<html", "a web page; download the raw file"),
)
_ONNX = re.compile(rb"\x08[\x02-\x20]\x12.\w")
_C_ARRAY = re.compile(rb"\[\s*\w*\s*\][^;{}]{0,200}=\s*\{\s*0[xX][0-9a-fA-F]{1,2}\s*,")
_BEGINNING = 65536


def has_identifier(data: bytes | memoryview) -> bool:
    """Whether the file names itself a `.tflite` file."""
    return bytes(data[4:8]) == IDENTIFIER


def describe(data: bytes | memoryview) -> str:
    """Why `data`, which cannot be read and has no identifier, is no `.tflite` file."""
    start = bytes(data[:_BEGINNING])
    for signature, kind in _KINDS:
        if start.startswith(signature):
            return f"this is {kind}"
    if _ONNX.match(start):
        return "this is an ONNX model; convert it to .tflite first"
    if _C_ARRAY.search(start):
        return "this is C source text with a model as an array; give the file that it was made from"
    return f"this is no .tflite file: bytes 4 to 7 are {start[4:8]!r}, not {IDENTIFIER!r}"
