"""The arena calls of a MicroInterpreter from its construction to the end of AllocateTensors.

Source: tflite-micro `micro/micro_interpreter.cc`, `micro_interpreter_graph.cc`,
`micro_allocator.cc`, `micro_allocation_info.cc`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyml_runtime.arena_use import ArenaUse
from tinyml_runtime.memory.arena import ArenaCall
from tinyml_runtime.memory.lifetimes import UNUSED, Lifetimes
from tinyml_runtime.memory.planner import BufferRequest, MemoryPlan, MemoryPlanner, align_up
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.builtin_options import OPTION_STRUCTS
from tinyml_runtime.planning.recorder import Recorder
from tinyml_runtime.registration import Node
from tinyml_runtime.resource_variables import ResourceVariables
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType

# The structures that the greedy planner keeps for each buffer, in memory lent to it.
_GREEDY_TABLES = "GreedyMemoryPlanner::BufferRequirements", "GreedyMemoryPlanner::ListEntry"
_GREEDY_INTEGERS = 3 * 4
PLANNED_BUFFERS = "planned buffers"


@dataclass(frozen=True, slots=True)
class Graph:
    """A model that has been prepared, in the parts that the sequence needs."""

    model: Model
    tensors: Sequence[Sequence[Tensor]]
    nodes: Sequence[Sequence[Node]]
    uses: Sequence[Sequence[ArenaUse]]
    variables: ResourceVariables
    compressed: frozenset[tuple[int, int]]
    offline_offsets: Sequence[Sequence[int | None]]


@dataclass(frozen=True, slots=True)
class PlannedBuffer:
    """A buffer of the memory plan: a tensor, or what a node (`scratch_of`) asked for.

    `name` and `type` are those of the tensor; scratch buffers have none. `bytes` is what is really
    used, the request is rounded up.
    """

    subgraph: int
    tensor: int | None
    scratch_of: int | None
    name: str
    type: TensorType | None
    bytes: int
    request: BufferRequest


@dataclass(frozen=True, slots=True)
class Allocation:
    """All arena calls, and the plan that was made on the way."""

    calls: Sequence[ArenaCall]
    buffers: Sequence[PlannedBuffer]
    plan: MemoryPlan
    lifetimes: Lifetimes


Reserve = Callable[[int], int]


def allocator_calls(recorder: Recorder, *, linear_planner: bool = False) -> None:
    """Construct the allocator, once for all models that share an arena."""
    recorder.natural("SingleArenaBufferAllocator", "arena allocator")
    planner = "LinearMemoryPlanner" if linear_planner else "GreedyMemoryPlanner"
    recorder.natural(planner, "memory planner")
    recorder.natural("MicroAllocator", "arena allocator")


def allocate(
    graph: Graph,
    profile: RuntimeProfile,
    planner: MemoryPlanner,
    *,
    before: Callable[[Recorder], None] = allocator_calls,
    head_bytes: int = 0,
) -> Allocation:
    """Make all calls of one model.

    `before` constructs what comes before the interpreter; `head_bytes` is the head that models
    before this one in the same arena need.
    """
    recorder = Recorder(graph.tensors, profile, graph.variables, graph.compressed)
    before(recorder)
    _start(recorder, graph)
    _run_kernels(recorder, graph)
    if recorder.scratch_requests:
        recorder.natural(
            "ScratchBufferHandle", "scratch buffer handles", len(recorder.scratch_requests)
        )
    allocation = _plan(recorder, graph, planner, head_bytes)
    _interface(recorder, graph)
    return allocation


def _start(recorder: Recorder, graph: Graph) -> None:
    abi, subgraphs = recorder.abi, graph.model.subgraphs
    if graph.variables.count:
        _resource_variables(recorder, graph.variables.count)
    recorder.natural("MicroBuiltinDataAllocator", "builtin data allocator")
    recorder.reserve_requests()
    recorder.natural("SubgraphAllocations", "subgraph table", len(subgraphs))
    if abi.has_compression and graph.compressed:
        _compression(recorder, graph)
    for tensors in graph.tensors:
        recorder.natural("TfLiteEvalTensor", "eval tensors", len(tensors))
    for nodes in graph.nodes:
        recorder.natural("NodeAndRegistration", "nodes and registrations", len(nodes))
    for nodes in graph.nodes:
        for node in nodes:
            struct = OPTION_STRUCTS.get(node.operator)
            if struct is not None:
                recorder.work_for(node)
                recorder.natural(struct, "operator options")
    recorder.work_for(None)


def _resource_variables(recorder: Recorder, count: int) -> None:
    abi = recorder.abi
    kind = "resource variables"
    recorder.persistent(abi.layout("MicroResourceVariables").bytes, kind)
    recorder.persistent(abi.layout("MicroResourceVariable").bytes * count, kind)


def _compression(recorder: Recorder, graph: Graph) -> None:
    for number, tensors in enumerate(graph.tensors):
        own = sum(subgraph == number for subgraph, _ in graph.compressed)
        for place in range(own):
            recorder.natural("CompressionTensorData", "compressed tensors")
            recorder.natural("LookupTableData", "compressed tensors")
            if place == 0:
                recorder.pointers("compressed tensors", len(tensors))


def _run_kernels(recorder: Recorder, graph: Graph) -> None:
    for nodes, uses in zip(graph.nodes, graph.uses, strict=True):
        for node, use in zip(nodes, uses, strict=True):
            recorder.work_for(node)
            use.run_init(recorder, node)
    for nodes, uses in zip(graph.nodes, graph.uses, strict=True):
        for node, use in zip(nodes, uses, strict=True):
            recorder.work_for(node)
            use.run_prepare(recorder, node)
            recorder.release()
            recorder.reserve_requests()
    recorder.work_for(None)


def _plan(recorder: Recorder, graph: Graph, planner: MemoryPlanner, head_bytes: int) -> Allocation:
    requests = recorder.scratch_requests
    lifetimes = Lifetimes(graph.model, [(one.subgraph, one.node) for one in requests])
    entries = sum(map(len, graph.tensors)) + len(requests)
    recorder.temporary_pointers(len(graph.tensors))
    recorder.temporary_array("AllocationInfo", entries)
    for number, tensors in enumerate(graph.tensors):
        for tensor, offset in zip(tensors, graph.offline_offsets[number], strict=True):
            if _is_variable(graph, number, tensor) and offset is None:
                recorder.variable(number, tensor)
    buffers = _buffers(recorder, graph, lifetimes)
    recorder.lend_to_planner(_planner_bytes(recorder, planner, len(buffers)))
    plan = planner.plan([buffer.request for buffer in buffers])
    recorder.release()
    recorder.head(0, PLANNED_BUFFERS)
    recorder.head(align_up(max(plan.bytes, head_bytes)), PLANNED_BUFFERS)
    return Allocation(recorder.calls, buffers, plan, lifetimes)


def _planner_bytes(recorder: Recorder, planner: MemoryPlanner, buffers: int) -> int:
    """What TFLM's planner needs to work: the linear one has its tables in itself."""
    if planner.name == "linear":
        return 0
    tables = sum(recorder.abi.layout(struct).bytes for struct in _GREEDY_TABLES)
    return buffers * (tables + _GREEDY_INTEGERS)


def _is_variable(graph: Graph, subgraph: int, tensor: Tensor) -> bool:
    return graph.model.subgraphs[subgraph].tensors[tensor.index].is_variable


def _buffers(recorder: Recorder, graph: Graph, lifetimes: Lifetimes) -> list[PlannedBuffer]:
    buffers: list[PlannedBuffer] = []
    for number, tensors in enumerate(graph.tensors):
        for tensor, offset in zip(tensors, graph.offline_offsets[number], strict=True):
            size = tensor_bytes(tensor)
            needs = not tensor.is_constant and (number, tensor.index) not in recorder.own_data
            if _is_variable(graph, number, tensor):
                needs = offset is not None
            if not needs or not size:
                continue
            lifetime = lifetimes.tensors[number][tensor.index]
            request = BufferRequest(align_up(size), lifetime.first, lifetime.last, offset)
            name, kind = tensor.name, tensor.type
            buffers.append(PlannedBuffer(number, tensor.index, None, name, kind, size, request))
    for asked, lifetime in zip(recorder.scratch_requests, lifetimes.scratch, strict=True):
        size = asked.bytes if lifetime.first != UNUSED else 0
        request = BufferRequest(align_up(size), lifetime.first, lifetime.last)
        buffers.append(PlannedBuffer(asked.subgraph, None, asked.node, "", None, size, request))
    return buffers


def tensor_bytes(tensor: Tensor) -> int:
    """The bytes that TFLM keeps for a tensor; four-bit elements take one byte each."""
    return tensor.size * tensor.dtype.itemsize


def _interface(recorder: Recorder, graph: Graph) -> None:
    """The TfLiteTensors of the model's inputs and outputs: those of subgraph 0."""
    main, tensors = graph.model.subgraphs[0], graph.tensors[0]
    pointer = recorder.abi.pointer.bytes
    for indices, name in ((main.inputs, "input"), (main.outputs, "output")):
        recorder.persistent(pointer * len(indices), f"{name} tensors")
        for index in indices:
            recorder.persistent_tensor(0, tensors[index], f"{name} tensors")
