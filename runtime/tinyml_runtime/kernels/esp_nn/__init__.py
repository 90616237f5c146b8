"""ESP-NN's kernels where they give other numbers than the reference: on chips with vector units.

Its C gives the reference's, and so do its assembly for S3 and P4, by their sources, but for what is
here. A convolution of int8 in groups is handed on as if it had one group: results are right here
and wrong there.
"""
