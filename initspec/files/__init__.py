"""Files, read and written."""
