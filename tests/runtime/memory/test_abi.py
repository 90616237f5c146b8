"""Tables of structure sizes: complete, plausible, and sized as other tables say."""

from __future__ import annotations

import csv

import pytest

from tests.support.corpus import CORPUS
from tinyml_runtime.errors import AbiError
from tinyml_runtime.memory.abi import abi_names, load_abi, tflm_revisions

TRUTH = CORPUS / "truth"
# Not laid into the arena, or only by the recording interpreter.
NOT_IN_THE_TABLES = ("Recording", "Resolver", "MicroMutable", "GetDefault", "per_buffer", "()")


def test_the_three_abis_are_there() -> None:
    assert abi_names() == ("arm-eabi", "ilp32", "lp64")


@pytest.mark.parametrize("name", abi_names())
def test_every_revision_loads_and_says_where_it_is_from(name: str) -> None:
    for revision in tflm_revisions(name):
        abi = load_abi(name, revision)
        assert (abi.name, abi.tflm) == (name, revision)
        assert abi.source.startswith(("measured: ", "derived: "))
        for layout in abi.structs.values():
            assert layout.alignment in (1, 2, 4, 8)
            assert layout.bytes % layout.alignment == 0


def test_all_abis_know_the_same_structures() -> None:
    known = [set(load_abi(name).structs) for name in abi_names()]
    assert known[0] == known[1] == known[2]


def test_short_enumerations_make_a_difference() -> None:
    sizes = {name: load_abi(name).layout("TfLiteTensor").bytes for name in abi_names()}
    assert sizes == {"arm-eabi": 32, "ilp32": 40, "lp64": 64}


def test_compression_makes_some_structures_larger() -> None:
    plain = load_abi("lp64", compression=False)
    larger = load_abi("lp64", compression=True)
    assert larger.layout("SubgraphAllocations").bytes == 24
    assert plain.layout("SubgraphAllocations").bytes == 16


def test_what_is_not_known_is_said() -> None:
    with pytest.raises(AbiError, match="no ABI 'x86'"):
        load_abi("x86")
    with pytest.raises(AbiError, match="TFLM 2019"):
        load_abi("lp64", "2019")
    with pytest.raises(AbiError, match="structure Nothing is not known for the ABI ilp32"):
        load_abi("ilp32").layout("Nothing")


@pytest.mark.skipif(not TRUTH.is_dir(), reason=f"no measured structures at {TRUTH}")
@pytest.mark.parametrize(
    ("file", "name", "columns"),
    [
        ("structs_arm.csv", "arm-eabi", ("struct", "sizeof_bytes", "alignof_bytes")),
        ("structs_riscv.csv", "ilp32", ("name", "sizeof", "alignof")),
        ("structs_xtensa.csv", "ilp32", ("name", "sizeof", "alignof")),
    ],
)
def test_sizes_are_those_measured_elsewhere(
    file: str, name: str, columns: tuple[str, str, str]
) -> None:
    abi = load_abi(name)
    compared = 0
    with (TRUTH / file).open(newline="") as rows:
        for row in csv.DictReader(rows):
            struct, size, alignment = (row[column] for column in columns)
            layout = abi.structs.get(struct)
            if layout is None or any(part in struct for part in NOT_IN_THE_TABLES):
                continue
            assert (layout.bytes, layout.alignment) == (int(size), int(alignment)), struct
            compared += 1
    assert compared > 60
