"""The arena of TensorFlow Lite Micro: what goes into it, where, and for how long."""
