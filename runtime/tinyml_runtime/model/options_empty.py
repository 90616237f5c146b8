"""Builtin options without fields: which table of the schema it is says all.

One class per member of the unions, because a file names the member even where it holds nothing.

Source    the TFLite FlatBuffers schema
"""

from __future__ import annotations

from tinyml_runtime.model.options_table import Options


class PadOptions(Options):
    """PAD."""

    __slots__ = ()


class BatchToSpaceNDOptions(Options):
    """BATCH_TO_SPACE_ND."""

    __slots__ = ()


class SpaceToBatchNDOptions(Options):
    """SPACE_TO_BATCH_ND."""

    __slots__ = ()


class TransposeOptions(Options):
    """TRANSPOSE."""

    __slots__ = ()


class ExpOptions(Options):
    """EXP."""

    __slots__ = ()


class TopKV2Options(Options):
    """TOPK_V2."""

    __slots__ = ()


class LogSoftmaxOptions(Options):
    """LOG_SOFTMAX."""

    __slots__ = ()


class DequantizeOptions(Options):
    """DEQUANTIZE."""

    __slots__ = ()


class MaximumMinimumOptions(Options):
    """MAXIMUM, MINIMUM."""

    __slots__ = ()


class LessOptions(Options):
    """LESS."""

    __slots__ = ()


class NegOptions(Options):
    """NEG."""

    __slots__ = ()


class PadV2Options(Options):
    """PADV2."""

    __slots__ = ()


class GreaterOptions(Options):
    """GREATER."""

    __slots__ = ()


class GreaterEqualOptions(Options):
    """GREATER_EQUAL."""

    __slots__ = ()


class LessEqualOptions(Options):
    """LESS_EQUAL."""

    __slots__ = ()


class SelectOptions(Options):
    """SELECT."""

    __slots__ = ()


class SliceOptions(Options):
    """SLICE."""

    __slots__ = ()


class TileOptions(Options):
    """TILE."""

    __slots__ = ()


class ExpandDimsOptions(Options):
    """EXPAND_DIMS."""

    __slots__ = ()


class EqualOptions(Options):
    """EQUAL."""

    __slots__ = ()


class NotEqualOptions(Options):
    """NOT_EQUAL."""

    __slots__ = ()


class PowOptions(Options):
    """POW."""

    __slots__ = ()


class LogicalOrOptions(Options):
    """LOGICAL_OR."""

    __slots__ = ()


class LogicalAndOptions(Options):
    """LOGICAL_AND."""

    __slots__ = ()


class LogicalNotOptions(Options):
    """LOGICAL_NOT."""

    __slots__ = ()


class FloorDivOptions(Options):
    """FLOOR_DIV."""

    __slots__ = ()


class SquareOptions(Options):
    """SQUARE."""

    __slots__ = ()


class ZerosLikeOptions(Options):
    """ZEROS_LIKE."""

    __slots__ = ()


class FillOptions(Options):
    """FILL."""

    __slots__ = ()


class FloorModOptions(Options):
    """FLOOR_MOD."""

    __slots__ = ()


class RangeOptions(Options):
    """RANGE."""

    __slots__ = ()


class SquaredDifferenceOptions(Options):
    """SQUARED_DIFFERENCE."""

    __slots__ = ()


class AbsOptions(Options):
    """ABS."""

    __slots__ = ()


class ReverseV2Options(Options):
    """REVERSE_V2."""

    __slots__ = ()


class AddNOptions(Options):
    """ADD_N."""

    __slots__ = ()


class GatherNdOptions(Options):
    """GATHER_ND."""

    __slots__ = ()


class CosOptions(Options):
    """COS."""

    __slots__ = ()


class WhereOptions(Options):
    """WHERE."""

    __slots__ = ()


class RankOptions(Options):
    """RANK."""

    __slots__ = ()


class MatrixDiagOptions(Options):
    """MATRIX_DIAG."""

    __slots__ = ()


class QuantizeOptions(Options):
    """QUANTIZE."""

    __slots__ = ()


class MatrixSetDiagOptions(Options):
    """MATRIX_SET_DIAG."""

    __slots__ = ()


class HardSwishOptions(Options):
    """HARD_SWISH."""

    __slots__ = ()


class NonMaxSuppressionV4Options(Options):
    """NON_MAX_SUPPRESSION_V4."""

    __slots__ = ()


class NonMaxSuppressionV5Options(Options):
    """NON_MAX_SUPPRESSION_V5."""

    __slots__ = ()


class ScatterNdOptions(Options):
    """SCATTER_ND."""

    __slots__ = ()


class SelectV2Options(Options):
    """SELECT_V2."""

    __slots__ = ()


class DensifyOptions(Options):
    """DENSIFY."""

    __slots__ = ()


class SegmentSumOptions(Options):
    """SEGMENT_SUM."""

    __slots__ = ()


class BroadcastToOptions(Options):
    """BROADCAST_TO."""

    __slots__ = ()


class Rfft2dOptions(Options):
    """RFFT2D."""

    __slots__ = ()


class HashtableFindOptions(Options):
    """HASHTABLE_FIND."""

    __slots__ = ()


class HashtableImportOptions(Options):
    """HASHTABLE_IMPORT."""

    __slots__ = ()


class HashtableSizeOptions(Options):
    """HASHTABLE_SIZE."""

    __slots__ = ()


class ReadVariableOptions(Options):
    """READ_VARIABLE."""

    __slots__ = ()


class AssignVariableOptions(Options):
    """ASSIGN_VARIABLE."""

    __slots__ = ()


class DynamicUpdateSliceOptions(Options):
    """DYNAMIC_UPDATE_SLICE."""

    __slots__ = ()


class UnsortedSegmentProdOptions(Options):
    """UNSORTED_SEGMENT_PROD."""

    __slots__ = ()


class UnsortedSegmentMaxOptions(Options):
    """UNSORTED_SEGMENT_MAX."""

    __slots__ = ()


class UnsortedSegmentMinOptions(Options):
    """UNSORTED_SEGMENT_MIN."""

    __slots__ = ()


class UnsortedSegmentSumOptions(Options):
    """UNSORTED_SEGMENT_SUM."""

    __slots__ = ()


class ATan2Options(Options):
    """ATAN2."""

    __slots__ = ()


class SignOptions(Options):
    """SIGN."""

    __slots__ = ()


class BitcastOptions(Options):
    """BITCAST."""

    __slots__ = ()


class BitwiseXorOptions(Options):
    """BITWISE_XOR."""

    __slots__ = ()


class RightShiftOptions(Options):
    """RIGHT_SHIFT."""

    __slots__ = ()


class DilateOptions(Options):
    """DILATE."""

    __slots__ = ()


class StablehloShiftLeftOptions(Options):
    """STABLEHLO_SHIFT_LEFT."""

    __slots__ = ()
