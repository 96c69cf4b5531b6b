"""Anything that makes weights, as a target of the suite."""
