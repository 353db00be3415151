"""Kernels of our own for MLX's CUDA back end, as text that MLX compiles when a function first runs."""
