"""Answers about schemes and weights: differences, inference, signal."""
