"""The pages that ``docs/generate.py`` writes: each module makes some, by their paths."""
