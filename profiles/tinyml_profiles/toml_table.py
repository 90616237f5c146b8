"""Reading a table of a TOML file: what is missing, misspelt or out of range is one line.

Each number is followed by its source: `{ value = 5, from = "datasheet", ref = "RM0432" }`, or
stands alone in a table that has `from` and `ref` itself, or inside one that has.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn, TypeGuard

from tinyml_profiles.instructions import EVIDENCE
from tinyml_profiles.target import Figure
from tinyml_runtime.errors import TargetFileError, TinymlError

_SOURCE_KEYS = ("from", "ref")


class PlainTable:
    """One table of a file. Whoever has read it all calls `close`, which refuses other keys."""

    error: type[TinymlError] = TargetFileError

    def __init__(self, file: str, data: Mapping[str, Any], place: str = "") -> None:
        """Read `data`, which stands at `place` of `file`."""
        self.file = file
        self._data = data
        self._place = place
        self._asked: set[str] = set()

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise the error that names file, key and problem."""
        raise self.error(f"{self.file}: '{self._full(key)}' {problem}")

    def has(self, key: str) -> bool:
        """Whether there is such a key; from now on it is known."""
        self._asked.add(key)
        return key in self._data

    def value(self, key: str) -> Any:
        """Whatever stands there."""
        return self._get(key, None)

    def text(self, key: str, default: str | None = None) -> str:
        """A string."""
        value = self._get(key, default)
        if not isinstance(value, str) or not value:
            self.fail(key, "must be a text in quotes")
        return value

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of some strings."""
        value = self.text(key, default)
        if value not in allowed:
            self.fail(key, f"is '{value}' ({_instead(value, allowed)})")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; none where it is absent."""
        value = self._get(key, [])
        if not _are_texts(value):
            self.fail(key, 'must be a list of texts, like ["dsp"]')
        return tuple(value)

    def names(self, key: str) -> frozenset[str]:
        """A list of strings in no order, which must be there."""
        self._get(key, None)
        return frozenset(self.texts(key))

    def inner(self, key: str, is_optional: bool = False) -> Mapping[str, Any]:
        """What a table inside holds; nothing where it is optional and absent."""
        value = self._get(key, {} if is_optional else None)
        if not isinstance(value, Mapping):
            self.fail(key, f"must be a table: [{self._full(key)}]")
        return value  # pyright: ignore[reportUnknownVariableType]

    def close(self) -> None:
        """Raise for the first key that nobody asked for."""
        for key in self._data:
            if key not in self._asked:
                self.fail(key, f"is not known ({_instead(key, self._asked)})")

    def _get(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        value = self._data.get(key, default)
        if value is None:
            near = next(iter(_near(key, [k for k in self._data if k not in self._asked])), None)
            self.fail(key, "is missing" + (f" (there is '{near}')" if near else ""))
        return value

    def _full(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key


class TomlTable(PlainTable):
    """A table whose numbers have sources."""

    def __init__(
        self, file: str, data: Mapping[str, Any], place: str = "", parent: TomlTable | None = None
    ) -> None:
        """Read `data`, which stands at `place` of `file`."""
        super().__init__(file, data, place)
        self._evidence = self.choice("from", EVIDENCE, parent and parent._evidence)
        self._ref = self.text("ref", parent._ref if parent else None)

    @property
    def source(self) -> str:
        """Where the table is from, in words."""
        return f"{self._evidence}: {self._ref}"

    def figure(self, key: str, low: float, high: float, default: Figure | None = None) -> Figure:
        """A number from `low` to `high`, with its source."""
        if default is not None and not self.has(key):
            return default
        value = self._get(key, None)
        if isinstance(value, Mapping):
            inner = TomlTable(self.file, value, self._full(key), self)  # pyright: ignore[reportUnknownArgumentType]
            figure = inner.figure("value", low, high)
            inner.close()
            return figure
        if not is_number(value):
            self.fail(key, "must be a number, alone or as { value = ..., from = ..., ref = ... }")
        if not low <= value <= high:
            self.fail(key, f"is {value:g}, outside {low:g} to {high:g}")
        return Figure(value, self._evidence, self._ref)

    def table(self, key: str, is_optional: bool = False) -> TomlTable:
        """A table inside; an empty one where it is optional and absent."""
        return TomlTable(self.file, self.inner(key, is_optional), self._full(key), self)

    def tables(self) -> Iterator[tuple[str, TomlTable]]:
        """Every table inside, by name."""
        for key in self.entries():
            yield key, self.table(key)

    def entries(self) -> list[str]:
        """The keys beside those of the source."""
        return [key for key in self._data if key not in _SOURCE_KEYS]


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of a TOML file is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _are_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)  # pyright: ignore[reportUnknownVariableType]


def _instead(word: str, allowed: Collection[str]) -> str:
    names = sorted(name for name in allowed)
    near = _near(word, names)
    start = f"near: {', '.join(near)}; " if near else ""
    return f"{start}allowed: {', '.join(names)}"


def _near(word: str, names: Collection[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(word, list(names), 1, 0.7)
