"""The versions of what is promised, apart from the package's own: the stream and a saved scheme."""

#: The portable stream: which numbers a seed stands for.
STREAM = "initspec/1"

#: The version of the package.
VERSION = "0.1.0"
