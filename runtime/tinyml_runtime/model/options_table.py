"""What all builtin options have in common, and the numbers by which a file names their tables.

Source    the TFLite FlatBuffers schema
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, fields
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, dataclass_transform

_NAMES = """
Conv2DOptions DepthwiseConv2DOptions ConcatEmbeddingsOptions LSHProjectionOptions Pool2DOptions
SVDFOptions RNNOptions FullyConnectedOptions SoftmaxOptions ConcatenationOptions AddOptions
L2NormOptions LocalResponseNormalizationOptions LSTMOptions ResizeBilinearOptions CallOptions
ReshapeOptions SkipGramOptions SpaceToDepthOptions EmbeddingLookupSparseOptions MulOptions
PadOptions GatherOptions BatchToSpaceNDOptions SpaceToBatchNDOptions TransposeOptions
ReducerOptions SubOptions DivOptions SqueezeOptions SequenceRNNOptions StridedSliceOptions
ExpOptions TopKV2Options SplitOptions LogSoftmaxOptions CastOptions DequantizeOptions
MaximumMinimumOptions ArgMaxOptions LessOptions NegOptions PadV2Options GreaterOptions
GreaterEqualOptions LessEqualOptions SelectOptions SliceOptions TransposeConvOptions
SparseToDenseOptions TileOptions ExpandDimsOptions EqualOptions NotEqualOptions ShapeOptions
PowOptions ArgMinOptions FakeQuantOptions PackOptions LogicalOrOptions OneHotOptions
LogicalAndOptions LogicalNotOptions UnpackOptions FloorDivOptions SquareOptions ZerosLikeOptions
FillOptions BidirectionalSequenceLSTMOptions BidirectionalSequenceRNNOptions
UnidirectionalSequenceLSTMOptions FloorModOptions RangeOptions ResizeNearestNeighborOptions
LeakyReluOptions SquaredDifferenceOptions MirrorPadOptions AbsOptions SplitVOptions
UniqueOptions ReverseV2Options AddNOptions GatherNdOptions CosOptions WhereOptions RankOptions
ReverseSequenceOptions MatrixDiagOptions QuantizeOptions MatrixSetDiagOptions HardSwishOptions
IfOptions WhileOptions DepthToSpaceOptions NonMaxSuppressionV4Options NonMaxSuppressionV5Options
ScatterNdOptions SelectV2Options DensifyOptions SegmentSumOptions BatchMatMulOptions
CumsumOptions CallOnceOptions BroadcastToOptions Rfft2dOptions Conv3DOptions HashtableOptions
HashtableFindOptions HashtableImportOptions HashtableSizeOptions VarHandleOptions
ReadVariableOptions AssignVariableOptions RandomOptions BucketizeOptions GeluOptions
DynamicUpdateSliceOptions UnsortedSegmentProdOptions UnsortedSegmentMaxOptions
UnsortedSegmentMinOptions UnsortedSegmentSumOptions ATan2Options SignOptions BitcastOptions
BitwiseXorOptions RightShiftOptions
"""
_NAMES_2 = """
StablehloConcatenateOptions StablehloBroadcastInDimOptions StablehloSliceOptions
StablehloConvolutionOptions StablehloCustomCallOptions StablehloReduceOptions
StablehloScatterOptions StablehloCompareOptions StablehloDynamicSliceOptions StablehloPadOptions
StablehloIotaOptions StablehloDotGeneralOptions StablehloReduceWindowOptions
StablehloSortOptions StablehloWhileOptions StablehloGatherOptions StablehloTransposeOptions
DilateOptions StablehloRngBitGeneratorOptions ReduceWindowOptions StableHLOCompositeOptions
StablehloShiftLeftOptions StablehloCaseOptions
"""

# Number 0 says that there are no options.
BUILTIN_OPTIONS = ("NONE", *_NAMES.split())
BUILTIN_OPTIONS_2 = ("NONE", *_NAMES_2.split())

OptionsT = TypeVar("OptionsT", bound="type[Options]")


@dataclass_transform(frozen_default=True)
def options_table(cls: OptionsT) -> OptionsT:
    """Make a frozen dataclass, whose methods are those of `Options`.

    Making methods for each is what creating a dataclass takes its time for: ten times as much.
    """
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    made.DEFAULTS = MappingProxyType({field.name: field.default for field in fields(made)})
    return made


@options_table
class Options:
    """Builtin options of one operator: a table of the schema, its fields in the schema's order.

    `WIRE` has the code of each vtable slot: `b ? i I q f` as in the module `struct`, `s` a string,
    `[i]` a vector of that element, `[B]` bytes, `-` a slot that the schema has abandoned.
    """

    WIRE: ClassVar[str] = ""
    DEFAULTS: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def __init__(self, *values: Any, **named: Any) -> None:
        """Take the fields' values, in their order or by name; others are as in the schema."""
        names = tuple(self.DEFAULTS)
        given = {**dict(zip(names, values, strict=False)), **named}
        if len(values) > len(names) or len(given) < len(values) + len(named):
            raise TypeError(f"{type(self).__name__} has {len(names)} fields, each given once")
        if not given.keys() <= self.DEFAULTS.keys():
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(names)}")
        for name, value in {**self.DEFAULTS, **given}.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: options do not change."""
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        """Refuse: options do not change."""
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        """Equal: the same table with the same values."""
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.DEFAULTS)

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((type(self), *self._values()))

    def __repr__(self) -> str:
        """Show the fields as a dataclass does."""
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.DEFAULTS)
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[type[Options], tuple[Any, ...]]:
        """Copy and pickle by the constructor."""
        return type(self), self._values()

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.DEFAULTS)


@lru_cache(maxsize=256)
def options_class(name: str) -> type[Options]:
    """The class of the schema's table `name`; imports the module that has it."""
    for module in ("options", "options_empty", "options_other", "options_stablehlo"):
        found = getattr(import_module(f"tinyml_runtime.model.{module}"), name, None)
        if found is not None:
            return found
    raise KeyError(name)
