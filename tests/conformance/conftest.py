"""The oracles, one process each for all tests of a pytest process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.oracles import Oracle


def _oracle(name: str) -> Iterator[Oracle]:
    oracle = Oracle(name)
    if not oracle.is_installed:
        pytest.skip(f"{oracle.package} is not installed")
    yield oracle
    oracle.close()


@pytest.fixture(scope="session")
def tflm() -> Iterator[Oracle]:
    """TFLM, as the `tflite-micro` wheel."""
    yield from _oracle("tflm")


@pytest.fixture(scope="session")
def litert() -> Iterator[Oracle]:
    """LiteRT with its reference kernels."""
    yield from _oracle("litert")
