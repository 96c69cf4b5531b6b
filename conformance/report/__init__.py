"""Reports of runs: records, explanations, and the page for a browser."""
