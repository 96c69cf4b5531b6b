"""Tensors in host memory: the kernels, the threads, and every law in NumPy."""
