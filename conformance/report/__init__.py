"""What a run found: records, explanations, and the page for a browser."""
