"""From a model to its arena: what TFLM allocates, in its order, and where everything lies."""
