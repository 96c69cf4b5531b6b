"""A scheme in each framework: our line, and what the framework itself would be told."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import initspec
from initspec.readings.entry import Entry
from initspec.readings.registry import dialect, dialects
from initspec.spec.scheme import Scheme

from .examples import example
from .markdown import code

_OURS = {
    "numpy": ("import initspec", "{get}.numpy({shape}, seed=42)"),
    "torch": ("import initspec, torch", "{get}.torch({out_first}, seed=42)"),
    "tensorflow": ("import initspec, tensorflow as tf", "{get}.tensorflow(seed=42)({shape})"),
    "keras": ("import initspec, keras", "{get}.keras(seed=42)({shape})"),
    "jax": ("import initspec, jax", "{get}.jax(jax.random.key(42), {shape})"),
}


def lines(entry: Entry) -> Iterator[str]:
    """A block for each backend. A test runs all of them, those of a framework in one process."""
    scheme = entry.make()
    shape, _ = example(scheme)
    words = {
        "get": f'initspec.get("{entry.name}")',
        "shape": str(shape),
        "out_first": str((shape[-1], shape[-2], *shape[:-2])),
    }
    yield (
        "One seed gives one weight in all of them. The last lines are the framework's own words "
        "for the law, which draw other numbers."
    )
    for name, (imports, line) in _OURS.items():
        title = dialect(name)["title"] if name in dialects() else "NumPy"
        theirs = _theirs(scheme, name) if name in dialects() else []
        yield f"**{title}**"
        yield code("\n".join([imports, "", f"weight = {line.format(**words)}", *theirs]), "py")


def _theirs(scheme: Scheme, to: str) -> list[str]:
    shape, layout = example(scheme)
    written = initspec.generate(scheme, to, shape, layout)
    if written.note or not written.call:  # numbers of this shape alone
        written = initspec.generate(scheme, to)
    note = textwrap.wrap(written.note, 88, initial_indent="# ", subsequent_indent="# ")
    if "initspec" in written.source:  # our line stands above
        return ["", *note]
    return ["", *note, *written.source.splitlines()]
