"""From a rule to a law: schemes, layouts, fans, distributions."""
