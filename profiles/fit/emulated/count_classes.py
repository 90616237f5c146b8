"""Instructions by class of every measured operator, from counts of blocks and the disassembly.

    python profiles/fit/emulated/count_classes.py PROGRAM COUNTS LOG TOOLCHAIN-

COUNTS is what the plugin wrote, LOG what the program printed. TOOLCHAIN- begins the name of
objdump, as in `riscv64-unknown-elf-`. See README.md beside this file.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CLASSES = (
    *("load", "store", "mul", "mac", "div", "alu", "branch"),
    *("fp_load", "fp_store", "fp_alu", "fp_mul", "fp_mac", "fp_div", "branch_taken"),
)
_CONDITIONS = "eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le"
# The first pattern that fits the mnemonic names the class; all others are "alu".
ARM = (
    (r"v(ldr|ldm|pop)", "fp_load"),
    (r"v(str|stm|push)", "fp_store"),
    (r"vn?mul", "fp_mul"),
    (r"vf?n?m(la|ls|a|s)", "fp_mac"),
    (r"v(div|sqrt)", "fp_div"),
    (r"v", "fp_alu"),
    (r"(ldr|ldm|pop)", "load"),
    (r"(str|stm|push)", "store"),
    (r"(mla|mls|smlal|umlal|smla|smmla|umaal)", "mac"),
    (r"[su]?mul", "mul"),
    (r"[su]div", "div"),
    (rf"(bl?x?({_CONDITIONS})?$|cbn?z|tb[bh])", "branch"),
)
RISCV = (
    (r"fl[wd]$", "fp_load"),
    (r"fs[wd]$", "fp_store"),
    (r"l[bhw]u?$", "load"),
    (r"s[bhw]$", "store"),
    (r"mul", "mul"),
    (r"(div|rem)", "div"),
    (r"(b[a-z]+$|j$|jal$|jr$|jalr$|ret$)", "branch"),
    (r"fmul", "fp_mul"),
    (r"fn?m(add|sub)", "fp_mac"),
    (r"f(div|sqrt)", "fp_div"),
    (r"fence", "alu"),
    (r"f", "fp_alu"),
)


def main() -> None:
    """Print a row for every operator."""
    program, counts, log, toolchain = sys.argv[1:]
    classes = _classes(program, toolchain)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(("model", "index", "operator", *CLASSES))
    for names, found in zip(_operators(Path(log)), _records(Path(counts), classes), strict=True):
        rows.writerow((*names, *(found[name] for name in CLASSES)))


def _classes(program: str, toolchain: str) -> dict[int, str]:
    """The class of the instruction at every address."""
    patterns = RISCV if "riscv" in toolchain else ARM
    command = [f"{toolchain}objdump", "-d", "--no-show-raw-insn", program]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = re.finditer(r"^\s*([0-9a-f]+):\s+(\S+)", text, re.MULTILINE)
    return {int(line[1], 16): _class(line[2], patterns) for line in lines}


def _class(mnemonic: str, patterns: tuple[tuple[str, str], ...]) -> str:
    plain = re.sub(r"\.[nw]$", "", mnemonic)
    return next((name for pattern, name in patterns if re.match(pattern, plain)), "alu")


def _operators(log: Path) -> Iterator[tuple[str, int, str]]:
    """Model, index and operator in the order in which they ran."""
    model = ""
    for line in log.read_text().splitlines():
        kind, *words = line.split()
        if kind == "MODEL":
            model = Path(words[0]).stem
        elif kind == "OP":
            yield model, int(words[0]), words[1]


def _records(counts: Path, classes: dict[int, str]) -> Iterator[Counter[str]]:
    """Executed instructions by class of every record."""
    order = sorted(classes)
    places = {address: place for place, address in enumerate(order)}
    for record in counts.read_text().split("R ")[1:]:
        found: Counter[str] = Counter()
        for line in record.splitlines()[1:]:
            start, length, times, taken = line.split()
            place = places[int(start, 16)]
            for address in order[place : place + int(length)]:
                found[classes[address]] += int(times)
            found["branch_taken"] += int(taken)
        yield found


if __name__ == "__main__":
    main()
