"""CMSIS-NN's kernels: those of the reference, less what TFLM's wrappers refuse.

Results are the same. Where CMSIS-NN reads or writes other elements than it should, TFLM does not
refuse the model, and so these kernels do not either; results are then right here and wrong there:
CONV_2D in groups of int16, or with int4 weights, and int8 with more than 4 dimensions in
MAXIMUM, MINIMUM, PAD, PADV2 and TRANSPOSE.
"""
