"""The density pictures: files beside the schemes' pages."""

from __future__ import annotations

from initspec import figures
from initspec.readings.entry import Entry

from .examples import example, in_words


def figure(entry: Entry) -> str:
    """The density of the law, over the histogram of one drawn tensor, as SVG."""
    scheme = entry.make()
    return figures.density(scheme, *example(scheme)).rstrip() + "\n"


def shown(entry: Entry) -> str:
    """The line that shows it."""
    where = in_words(example(entry.make())).replace("`", "")
    return f"![The density of {entry.name} over a histogram of draws, {where}]({entry.name}.svg)"
