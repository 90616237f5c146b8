"""C++ headers for a program that runs a model with TFLM."""
