"""Reads and writes any class of builtin options by the layout that the class states in `WIRE`."""

from __future__ import annotations

from dataclasses import fields
from enum import IntEnum
from functools import lru_cache
from typing import Any, TypeVar

from tinyml_runtime.model.builder import ABSENT, TableBuilder, part, scalar
from tinyml_runtime.model.flatbuffer import Defect, Table
from tinyml_runtime.model.options_table import Options, options_class

EnumT = TypeVar("EnumT", bound=IntEnum)


def known(kind: type[EnumT], value: int, what: str) -> EnumT:
    """The member of `kind` numbered `value`; a defect where there is none."""
    try:
        return kind(value)
    except ValueError:
        raise Defect(f"{what} {value} is none that the format names") from None


@lru_cache(maxsize=256)
def layout(cls: type[Options]) -> tuple[tuple[int, str, str, Any], ...]:
    """Slot, wire code, name and default of each field."""
    slots = [(slot, code) for slot, code in enumerate(cls.WIRE.split()) if code != "-"]
    pairs = zip(slots, fields(cls), strict=True)
    return tuple((slot, code, field.name, field.default) for (slot, code), field in pairs)


def read_options(table: Table, name: str) -> Options:
    """The options in `table`, which is the schema's table `name`."""
    cls = options_class(name)
    values = (_value(table, *field) for field in layout(cls))
    return cls(*values)


def _value(table: Table, slot: int, code: str, name: str, default: Any) -> Any:
    if code == "s":
        return table.string(slot)
    if code == "[B]":
        return table.copy(slot)
    if code[0] == "[":
        return table.vector(code[1], slot)
    value = table.scalar(code, slot, default)
    return known(type(default), value, name) if isinstance(default, IntEnum) else value


def write_options(builder: TableBuilder, options: Options) -> int:
    """Write the options' table; gives its offset."""
    slots = [ABSENT] * len(type(options).WIRE.split())
    for slot, code, name, default in layout(type(options)):
        value = getattr(options, name)
        slots[slot] = _field(builder, code, value, default)
    return builder.table(*slots)


def _field(builder: TableBuilder, code: str, value: Any, default: Any) -> tuple[Any, ...]:
    if len(code) == 1 and code != "s":
        return scalar(code, value, default)
    if not value:
        return ABSENT
    if code == "s":
        return part(builder.string(value))
    return part(builder.blob(value, 1) if code == "[B]" else builder.vector(code[1], value))
