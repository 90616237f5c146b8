"""The file format: `.tflite` files read into frozen dataclasses, and written from them."""
