"""The corpus of real models: a folder `models` beside the checkout, or where an environment
variable says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "TINYML_CORPUS"
CORPUS = Path(os.environ.get(VARIABLE) or Path(__file__).parents[2] / ".." / "shared").resolve()

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "models").is_dir(), reason=f"no corpus of models at {CORPUS} ({VARIABLE})"
)


def corpus_models() -> list[Path]:
    """Every model of the corpus, in the order of their names; none where there is no corpus."""
    return sorted((CORPUS / "models").rglob("*.tflite"))


def corpus_model(name: str) -> Path:
    """One model by its folder and name without suffix."""
    return CORPUS / "models" / f"{name}.tflite"
