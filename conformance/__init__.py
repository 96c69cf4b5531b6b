"""The conformance suite lives here."""

from __future__ import annotations

if __name__ != "initspec.conformance":  # two copies would break isinstance and pickling
    raise ImportError("import initspec.conformance, not conformance")
