"""What a kernel asks of the arena: the contract between kernel libraries and the planning.

TFLM's kernels allocate in two steps: Init, of all nodes, then Prepare, of all nodes in the same
order. What they ask for depends on types, shapes and quantization, never on values, so that it can
be told without running the kernel: an `ArenaUse` states it for one operator of one library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinyml_runtime.memory.abi import Abi
from tinyml_runtime.registration import Node
from tinyml_runtime.resource_variables import ResourceVariables
from tinyml_runtime.tensor import Tensor


class ArenaContext(Protocol):
    """What an `ArenaUse` works through: the node's tensors, and the arena.

    Every call stands for one call of TFLM's, and their order is TFLM's: it decides where alignment
    loses bytes and how small an arena may be.
    """

    @property
    def abi(self) -> Abi:
        """The sizes of structures."""
        ...

    @property
    def extensions(self) -> frozenset[str]:
        """What the core has beyond its base ("dsp", "mve", "esp32s3", ...)."""
        ...

    @property
    def variables(self) -> ResourceVariables:
        """The resource variables of the model, all of them named."""
        ...

    def input(self, node: Node, position: int) -> Tensor | None:
        """The input tensor at `position`, or None where the node has none there. No bytes."""
        ...

    def output(self, node: Node, position: int) -> Tensor | None:
        """The output tensor at `position`, or None where the node has none there. No bytes."""
        ...

    def temporary_input(self, node: Node, position: int) -> Tensor | None:
        """As `input`, through a TfLiteTensor in temporary memory (AllocateTempInputTensor).

        It takes room until the node's Prepare ends, also if the kernel gives it back before.
        """
        ...

    def temporary_output(self, node: Node, position: int) -> Tensor | None:
        """As `output`, through a TfLiteTensor in temporary memory (AllocateTempOutputTensor)."""
        ...

    def reads_again(self, struct: str) -> None:
        """The last TfLiteTensor, or that part of it, is read to its end after what comes next.

        Most kernels read no more of it than shape and quantization pointers: what stays may
        overwrite the rest.
        """
        ...

    def temporary(self, size: int, alignment: int) -> None:
        """Other temporary memory (AllocateTempBuffer), until the node's Prepare ends."""
        ...

    def persistent(self, size: int, what: str = "kernel buffer") -> None:
        """Memory that stays (AllocatePersistentBuffer), aligned to 16 bytes."""
        ...

    def struct(self, name: str) -> None:
        """The same for a structure, by its name in the ABI's table."""
        ...

    def scratch(self, size: int) -> None:
        """A buffer that only this node uses, planned with the tensors.

        TFLM: RequestScratchBufferInArena. A request of 0 bytes still takes a handle.
        """
        ...

    def keeps_output(self, node: Node, position: int) -> None:
        """The output lies in memory of the kernel's own: it is left out of the plan."""
        ...

    def is_compressed(self, node: Node, position: int) -> bool:
        """Whether the input is a constant that TFLM decompresses at run time."""
        ...

    def first_assignment(self, resource: int) -> bool:
        """Whether no node before this one asked so for the resource variable of that number."""
        ...


Step = Callable[[ArenaContext, Node], None]


@dataclass(frozen=True, slots=True)
class ArenaUse:
    """The arena calls of one operator.

    `op_data` names the structure that Init allocates, if that is all that Init does; else `init`
    makes the calls. `temporaries` lists the tensors that Prepare looks at before anything else, in
    its order: `i0` is input 0, `o0` output 0; `prepare` makes the calls after them.
    """

    op_data: str = ""
    temporaries: str = ""
    init: Step | None = None
    prepare: Step | None = None

    def run_init(self, arena: ArenaContext, node: Node) -> None:
        """Make the calls of Init."""
        if self.op_data:
            arena.struct(self.op_data)
        if self.init is not None:
            self.init(arena, node)

    def run_prepare(self, arena: ArenaContext, node: Node) -> None:
        """Make the calls of Prepare."""
        if self.temporaries:
            look_at(arena, node, self.temporaries)
        if self.prepare is not None:
            self.prepare(arena, node)


def look_at(arena: ArenaContext, node: Node, operands: str) -> None:
    """Temporary TfLiteTensors of `operands` in that order: `i1 o0` is input 1, then output 0."""
    for operand in operands.split():
        position = int(operand[1:])
        if operand[0] == "i":
            arena.temporary_input(node, position)
        else:
            arena.temporary_output(node, position)


def copy_dimensions(arena: ArenaContext, tensor: Tensor) -> None:
    """The tensor's shape copied to where it can be written (CreateWritableTensorDimsWithCopy)."""
    arena.persistent(int_array_bytes(len(tensor.shape)), "copied dimensions")


def int_array_bytes(length: int) -> int:
    """Bytes of a TfLiteIntArray, or TfLiteFloatArray, of that many elements."""
    return 4 + 4 * length


def decompress(arena: ArenaContext, node: Node, *positions: int) -> None:
    """Room to decompress those inputs that are compressed (AllocateDecompressionScratchBuffer)."""
    for position in positions:
        tensor = arena.input(node, position)
        if tensor is not None and arena.is_compressed(node, position):
            arena.scratch(tensor.size * tensor.dtype.itemsize)
