"""The mathematics of the tests: laws, bounds, powers."""
