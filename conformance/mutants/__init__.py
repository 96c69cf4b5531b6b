"""Initializers with one planted fault each, which the suite must refuse."""
