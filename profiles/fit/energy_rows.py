"""Copy published energies of real boards into the data, beside what is predicted for them.

    python profiles/fit/energy_rows.py TRUTH MODELS

TRUTH is a folder with published.csv, MODELS one with the .tflite files. Writes
data/measurements/energy.csv. Latencies are predicted where kernels ran that we know, whatever the
engine around them; of other engines the power alone can be compared.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "profiles" / "fit")]

from measured import find_models, read_rows  # noqa: E402
from written import DATA  # noqa: E402

from tinyml_profiles import profile_model  # noqa: E402
from tinyml_runtime import load_model  # noqa: E402

_BOARDS = {
    "l4r5zi": "nucleo-l4r5zi",
    "u575zi": "nucleo-u575zi-q",
    "h7a3zi": "nucleo-h7a3zi-q",
    "u385rg": "nucleo-u385rg-q",
    "f746zg": "nucleo-f746zg",
    "xg24_dk2601b": "xg24-dk2601b",
}
_COLUMNS: Sequence[str] = (
    "target",
    "software",
    "result",
    "model",
    "sha256",
    "latency_ms",
    "energy_uj",
    "predicted_ms",
    "source",
)


def main() -> None:
    """Read, predict and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("truth", type=Path)
    parser.add_argument("models", type=Path)
    options = parser.parse_args()
    models = find_models(options.models)
    path = DATA / "measurements" / "energy.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(_rows(options.truth, models))


def _rows(truth: Path, models: Mapping[str, Path]) -> Iterator[dict[str, str]]:
    for row in read_rows(truth / "published.csv"):
        target = next((t for key, t in _BOARDS.items() if key in row["board"].lower()), None)
        is_whole = row["energy_uj"] and row["latency_ms"] and not row["op_name"]
        if target is None or not is_whole or row["measurement"] != "hardware":
            continue
        library = "cmsis-nn" if row["kernel_library"] == "CMSIS-NN" else None
        yield {
            "target": target,
            "software": _software(row["framework"], row["kernel_library"]),
            "result": row["source"].partition(":")[0],
            "model": row["model"],
            "sha256": row["model_sha256"],
            "latency_ms": row["latency_ms"],
            "energy_uj": row["energy_uj"],
            "predicted_ms": _predicted(target, library, models.get(row["model_sha256"])),
            "source": row["source"],
        }


def _software(framework: str, kernels: str) -> str:
    return framework if kernels == framework else f"{framework} with {kernels}"


def _predicted(target: str, library: str | None, path: Path | None) -> str:
    if library is None or path is None:
        return ""
    latency = profile_model(load_model(path), target, library).total.latency_ms
    return "" if latency is None else f"{latency:.4g}"


if __name__ == "__main__":
    main()
