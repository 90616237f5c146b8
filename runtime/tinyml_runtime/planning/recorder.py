"""The arena calls of TFLM's framework and kernels, written down one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyml_runtime.arena_use import int_array_bytes
from tinyml_runtime.memory.abi import Abi
from tinyml_runtime.memory.arena import FRAMEWORK, Action, ArenaCall, Owner
from tinyml_runtime.memory.planner import ALIGNMENT_BYTES
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.registration import Node
from tinyml_runtime.resource_variables import ResourceVariables
from tinyml_runtime.tensor import Tensor

# TFLM's kMaxScratchBuffersPerOp: room for so many more requests is kept after every node.
MOST_SCRATCH_BUFFERS = 12
SCRATCH_REQUEST = "internal::ScratchBufferRequest"


@dataclass(frozen=True, slots=True)
class ScratchRequest:
    """A buffer that a node asked for."""

    subgraph: int
    node: int
    bytes: int


class Recorder:
    """`ArenaContext` for all kernels of a model, and the calls that the framework makes itself."""

    def __init__(
        self,
        tensors: Sequence[Sequence[Tensor]],
        profile: RuntimeProfile,
        variables: ResourceVariables,
        compressed: frozenset[tuple[int, int]],
    ) -> None:
        """Begin without calls; `compressed` are subgraph and index of compressed tensors."""
        self.calls: list[ArenaCall] = []
        self.scratch_requests: list[ScratchRequest] = []
        self.own_data: set[tuple[int, int]] = set()
        self.variables = variables
        self.abi: Abi = profile.abi
        self.extensions = profile.extensions
        self._tensors = tensors
        # A build without support for them takes compressed constants as they lie in the file.
        self._compressed = (
            compressed if profile.abi.has_compression else frozenset[tuple[int, int]]()
        )
        self._assigned: set[int] = set()
        self._owner = FRAMEWORK

    def work_for(self, node: Node | None) -> None:
        """Who makes the calls from now on; None for the framework."""
        self._owner = FRAMEWORK if node is None else Owner(node.subgraph, node.index)

    # What kernels call.

    def input(self, node: Node, position: int) -> Tensor | None:
        """The input tensor at `position`, or None where the node has none there."""
        return self._operand(node.subgraph, node.inputs, position)

    def output(self, node: Node, position: int) -> Tensor | None:
        """The output tensor at `position`, or None where the node has none there."""
        return self._operand(node.subgraph, node.outputs, position)

    def temporary_input(self, node: Node, position: int) -> Tensor | None:
        """As `input`, through a TfLiteTensor in temporary memory."""
        return self._temporary_tensor(self.input(node, position))

    def temporary_output(self, node: Node, position: int) -> Tensor | None:
        """As `output`, through a TfLiteTensor in temporary memory."""
        return self._temporary_tensor(self.output(node, position))

    def reads_again(self, struct: str) -> None:
        """The last TfLiteTensor, or that part of it, is read to its end after what comes next."""
        for place in range(len(self.calls) - 1, -1, -1):
            call = self.calls[place]
            if call.kind == struct:
                self.calls[place] = replace(call, unread_bytes=0)
            if call.kind in (struct, "TfLiteTensor"):
                return

    def temporary(self, size: int, alignment: int) -> None:
        """Temporary memory until the node's Prepare ends."""
        self._add(Action.TEMPORARY, size, alignment, "temporary buffer")

    def persistent(self, size: int, what: str = "kernel buffer") -> None:
        """Memory that stays, aligned to 16 bytes."""
        self._add(Action.PERSISTENT, size, ALIGNMENT_BYTES, what)

    def struct(self, name: str) -> None:
        """The same for a structure, by its name in the ABI's table."""
        self.persistent(self.abi.layout(name).bytes, "operator data")

    def scratch(self, size: int) -> None:
        """A buffer that only this node uses."""
        subgraph, node = self._owner.subgraph or 0, self._owner.node or 0
        self.scratch_requests.append(ScratchRequest(subgraph, node, size))

    def keeps_output(self, node: Node, position: int) -> None:
        """The output lies in memory of the kernel's own."""
        self.own_data.add((node.subgraph, node.outputs[position]))

    def is_compressed(self, node: Node, position: int) -> bool:
        """Whether the input is a constant that TFLM decompresses at run time."""
        tensor = self.input(node, position)
        return tensor is not None and (node.subgraph, tensor.index) in self._compressed

    def first_assignment(self, resource: int) -> bool:
        """Whether no node before this one asked so for that resource variable."""
        is_first = resource not in self._assigned
        self._assigned.add(resource)
        return is_first

    # What the framework calls.

    def natural(self, struct: str, kind: str, count: int = 1) -> None:
        """An array of structures that stays, with the alignment of the structure."""
        layout = self.abi.layout(struct)
        self._add(Action.PERSISTENT, layout.bytes * count, layout.alignment, kind)

    def pointers(self, kind: str, count: int) -> None:
        """An array of pointers that stays."""
        pointer = self.abi.pointer
        self._add(Action.PERSISTENT, pointer.bytes * count, pointer.alignment, kind)

    def temporary_array(self, struct: str, count: int) -> None:
        """An array of structures in temporary memory."""
        layout = self.abi.layout(struct)
        self._add(Action.TEMPORARY, layout.bytes * count, layout.alignment, struct)

    def temporary_pointers(self, count: int) -> None:
        """An array of numbers as wide as a pointer, in temporary memory."""
        pointer = self.abi.pointer
        self._add(Action.TEMPORARY, pointer.bytes * count, pointer.alignment, "subgraph offsets")

    def persistent_tensor(self, subgraph: int, tensor: Tensor, kind: str) -> None:
        """A TfLiteTensor that stays: that of an input or output of the model."""
        self._owner = Owner(subgraph, tensor=tensor.index)
        self.natural("TfLiteTensor", kind)
        if tensor.is_quantized:
            self.natural("TfLiteAffineQuantization", "quantization of an input or output")
            size = int_array_bytes(len(tensor.quantization.scales))
            alignment = self.abi.layout("TfLiteIntArray").alignment
            self._add(Action.PERSISTENT, size, alignment, "quantization of an input or output")
        self._owner = FRAMEWORK

    def variable(self, subgraph: int, tensor: Tensor) -> None:
        """The memory of a variable tensor."""
        size = tensor.size * tensor.dtype.itemsize
        owner = Owner(subgraph, tensor=tensor.index)
        self.calls.append(
            ArenaCall(Action.PERSISTENT, size, ALIGNMENT_BYTES, "variable tensors", owner)
        )

    def reserve_requests(self) -> None:
        """Set the head to the scratch requests so far and room for those of one more node."""
        size = self.abi.layout(SCRATCH_REQUEST).bytes
        count = len(self.scratch_requests) + MOST_SCRATCH_BUFFERS
        self.head(size * count, "scratch buffer requests")

    def head(self, size: int, kind: str) -> None:
        """Set the head to `size` bytes."""
        self._add(Action.HEAD, size, 1, kind)

    def release(self) -> None:
        """Give back all temporary memory."""
        self._add(Action.RELEASE, 0, 1, "")

    def lend_to_planner(self, size: int) -> None:
        """All that is free, of which the planner needs `size` bytes."""
        self._add(Action.PLAN, size, ALIGNMENT_BYTES, "the memory planner's own tables")

    def _add(
        self, action: Action, size: int, alignment: int, kind: str, unread_bytes: int = 0
    ) -> None:
        self.calls.append(ArenaCall(action, size, alignment, kind, self._owner, unread_bytes))

    def _operand(self, subgraph: int, indices: Sequence[int], position: int) -> Tensor | None:
        if position >= len(indices) or indices[position] < 0:
            return None
        return self._tensors[subgraph][indices[position]]

    def _temporary_tensor(self, tensor: Tensor | None) -> Tensor | None:
        """Its structure, then its quantization, then the zero points.

        The structure is read again up to its dimensions, the quantization up to its two pointers,
        without which it cannot be given back; the zero points are not.
        """
        if tensor is None:
            return None
        pointer = self.abi.pointer.bytes
        self._temporary_struct("TfLiteTensor", read_bytes=4 * pointer + 8)
        if tensor.is_quantized:
            self._temporary_struct("TfLiteAffineQuantization", read_bytes=2 * pointer)
            size = int_array_bytes(len(tensor.quantization.scales))
            alignment = self.abi.layout("TfLiteIntArray").alignment
            self._add(Action.TEMPORARY, size, alignment, "TfLiteIntArray", unread_bytes=size)
        return tensor

    def _temporary_struct(self, struct: str, read_bytes: int) -> None:
        layout = self.abi.layout(struct)
        unread = layout.bytes - read_bytes
        self._add(Action.TEMPORARY, layout.bytes, layout.alignment, struct, unread)
