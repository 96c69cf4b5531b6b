"""Who calls what by a scheme's name, and how far it is from the bare name's law."""

from __future__ import annotations

from collections.abc import Iterator

from initspec.analysis.diff import diff
from initspec.readings.entry import Entry
from initspec.readings.registry import dialect, readings

from .examples import example, in_words
from .markdown import anchor, escaped, plain, table, tick


def names(entry: Entry) -> Iterator[str]:
    """Every dialect's reading of the name, those that are one law together."""
    scheme = entry.make()
    groups: dict[str, list[Entry]] = {}
    for other in readings(entry.base):
        if other.dialect is not None:
            difference = diff(scheme, other.make(), *example(scheme))
            groups.setdefault("" if difference.same else difference.sentence, []).append(other)
    if not groups:
        yield "No framework has it under this name."
        return
    yield (
        f"Compared on a weight of {in_words(example(scheme))}, with each framework's default "
        "arguments: the first is the law of this page, the second that of the rows below. On "
        "grouped, depthwise, transposed and fused weights [their fans](../fans.md) may part them "
        f"further. A row's name is asked for as it stands: {tick(_asked(groups))}. Seen says "
        "whether a row was run against its framework, or read in its source."
    )
    for sentence, alike in sorted(groups.items(), key=_nearest):
        if sentence:
            yield f"### {_formula(alike[0])}"
            yield escaped(sentence)
        else:
            yield "### The same law"
        yield table(
            ("Framework", "Its word", "Name", "Fans", "Version", "Seen", "Note"),
            [_reading(row) for row in alike],
        )


def _asked(groups: dict[str, list[Entry]]) -> str:
    """An example, of the first row."""
    return f'get("{next(iter(groups.values()))[0].name}")'


def _nearest(group: tuple[str, list[Entry]]) -> tuple[bool, int]:
    return group[0] != "", -len(group[1])


def _formula(entry: Entry) -> str:
    text = escaped(entry.make().formula)
    return text[:1].upper() + text[1:]


def _reading(entry: Entry) -> tuple[str, ...]:
    assert entry.dialect
    rule = entry.make().fans if entry.make().needs_fans else ""
    return (
        f"[{dialect(entry.dialect)['title']}](../dialects/{entry.dialect}.md)",
        tick(entry.call),
        tick(entry.name),
        f"[{rule}](../fans.md#{anchor(rule)})" if rule else "",
        versions(entry) or entry.version,
        entry.evidence,
        escaped(plain(entry.note)),
    )


def versions(entry: Entry) -> str:
    """For which versions a row holds, if not for all that are known."""
    held = [f"since {entry.since}"] if entry.since else []
    held += [f"before {entry.until}"] if entry.until else []
    return ", ".join(held)
