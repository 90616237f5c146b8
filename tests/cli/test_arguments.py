"""Text that options were given as numbers."""

from __future__ import annotations

import pytest

from tinyml_cli.arguments import byte_size
from tinyml_runtime.errors import InputError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("65536", 65536),
        ("1", 1),
        ("64k", 65536),
        ("64K", 65536),
        ("64kB", 65536),
        ("256KiB", 262144),
        ("1M", 1048576),
        ("1.5 MB", 1572864),
        ("2mib", 2097152),
        ("100B", 100),
        (" 2 k ", 2048),
    ],
)
def test_sizes_are_those_of_data_sheets(text: str, size: int) -> None:
    assert byte_size(text, "--max-ram") == size


@pytest.mark.parametrize(
    "text", ["", "k", "0", "-1", "-4k", "0.5", "inf", "nan", "1e400", "64kk", "1G", "64 k B", "ki"]
)
def test_what_is_no_size_is_told_with_examples(text: str) -> None:
    with pytest.raises(InputError, match=r"--max-ram takes bytes \(65536\) or a size") as error:
        byte_size(text, "--max-ram")
    assert f"not '{text}'" in str(error.value)
