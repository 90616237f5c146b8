"""What a run tells to those who listen. The interpreter emits; it does not know who hears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node is about to be evaluated; its inputs have their values."""

    node: Node
    inputs: Sequence[Tensor]


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node has been evaluated; its outputs have their values until a later node reuses them."""

    node: Node
    outputs: Sequence[Tensor]


Event: TypeAlias = NodeStarted | NodeFinished


class Listener(Protocol):
    """Hears the events of a run, in order, on the thread that runs it."""

    def notify(self, event: Event) -> None:
        """Take one event. Tensors may be read, not written."""
        ...
