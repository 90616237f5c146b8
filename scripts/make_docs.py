"""Make the documents that come from the code: operators and compatibility.

usage: python scripts/make_docs.py          write them
       python scripts/make_docs.py --check  exit with 1 if they are not in step
"""

from __future__ import annotations

import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from tinyml_runtime.kernels import REFERENCE

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write or check every made document."""
    made = {
        ROOT / "docs/reference/operators.md": operators(),
        ROOT / "docs/compatibility.md": compatibility(ROOT / "runtime/upstream.toml"),
    }
    if "--check" in sys.argv:
        stale = [
            path for path, text in made.items() if not path.exists() or path.read_text() != text
        ]
        if stale:
            sys.exit(f"not in step with the code: {', '.join(map(str, stale))}")
        return
    for path, text in made.items():
        path.write_text(text)


def operators() -> str:
    """The table of operators that have a kernel, with the types of their families."""
    lines = [
        "# Operators",
        "",
        f"{len(REFERENCE.kernels)} operators have a kernel; what each does, TFLM's own decide.",
        "",
        "| operator | types |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {_types(name)} |" for name in sorted(REFERENCE.kernels)]
    return "\n".join(lines) + "\n"


def compatibility(ledger: Path) -> str:
    """The upstream commit and the deviations from it."""
    data: dict[str, Any] = tomllib.loads(ledger.read_text())
    upstream = data["upstream"]
    lines = [
        "# Compatibility",
        "",
        f"We follow {upstream['name']} ([source]({upstream['repository']})) at commit "
        f"`{upstream['commit'][:8]}` of {upstream['date']}: its reference kernels, built as its "
        "own build files say (double rounding).",
        "",
        "Every deliberate deviation:",
        "",
        "| subject | upstream | here | why |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {entry['subject']} | {entry['upstream']} | {entry['here']} | {entry['reason']} |"
        for entry in data["deviation"]
    ]
    return "\n".join(lines) + "\n"


def _types(operator: str) -> str:
    """The paragraph `Types` of the docstring of an operator's module."""
    entry = REFERENCE.kernels[operator]
    module = import_module(entry.partition(":")[0]) if isinstance(entry, str) else None
    text = (module.__doc__ if module else "") or ""
    taken: list[str] = []
    for line in text.splitlines():
        if line.startswith("Types"):
            taken = [line.removeprefix("Types").strip()]
        elif taken and line.startswith(" "):
            taken.append(line.strip())
        elif taken:
            break
    return " ".join(taken).replace("|", "\\|")


if __name__ == "__main__":
    main()
