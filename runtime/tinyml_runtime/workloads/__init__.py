"""Which loops the kernels of each library run, operator by operator."""
