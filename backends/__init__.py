"""The adapters and their kernels: the only folder that imports a framework."""

if __name__ != "initspec.backends":  # two copies would break isinstance and pickling
    raise ImportError("import initspec.backends, not backends")
