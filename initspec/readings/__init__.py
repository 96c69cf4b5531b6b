"""What a name means, and to whom: the registry, the dialects."""
