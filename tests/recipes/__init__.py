"""The recipes that come with initspec, held against the code that they are of."""
