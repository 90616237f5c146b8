"""What the kernels of each library ask of the arena, operator by operator."""
