"""Tensors in files, read and written."""
