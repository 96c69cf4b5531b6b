"""What the tests say of themselves: a note that is a sentence names its fault best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .cause import Cause
from .record import Decision

Failed = Mapping[str, Decision]

#: Tests of single values and of places, whose notes say what was seen, the plainest first.
NOTED = ("atoms", "places", "norms", "even", "rank", "neighbours", "lag", "squares")
_PLAIN = ("throughout", "the same for every seed", "clipped", "with period", "sorted")

#: What is certain, in words; the note follows as a number, or is the sentence itself.
CONDUCT = {
    "buffer": "a tensor changes after it was handed out",
    "seed": "the same seed gives other values",
    "seeds": "different seeds give the same values",
    "globals": "a draw with a seed moves a global generator",
    "generator": "one generator gives the same draws again",
}

#: The same of what holds from one shape or type to another; the first four speak of the scale.
CONTRACT = {
    "coupling": "the scale does not follow the formula from one shape to another",
    "base": "the scale over the sampler's standard numbers is not the documented one",
    "formula": "the standard deviation is not that of the formula",
    "fans": "the fans are not those of the layer's multiplications",
    "types": "the type does not hold the float32 numbers",
    "words": "the ends of the stream's words give wrong values",
    "injected": "the stream's words give wrong values",
    "reference": "the bits differ from the reference",
    "known": "known answers differ",
    "layouts": "two layouts of one weight hold different numbers",
}
OF_SCALE = ("coupling", "base", "formula", "fans")


#: Tests of independence, which rest on scores: another law, place or scale moves them.
CORRELATED = {
    "rows": "rows are correlated",
    "columns": "columns are correlated",
    "symmetry": "the matrix and its transpose are correlated",
    "tensors": "tensors of different seeds are correlated",
    "shift": "streams of different seeds overlap",
}


def conduct(failed: Failed) -> Iterator[Cause]:
    """Seeds, buffers and generators: no value has to be looked at."""
    for test, words in CONDUCT.items():
        if test in failed:
            if test == "seeds" and "buffer" in failed:
                continue  # one memory shows the last draw for every seed
            note = failed[test].note
            is_sentence = test in ("buffer", "generator") or (
                test == "seed" and not note.startswith("the same seed")  # one at the edges
            )
            yield Cause(note) if note and is_sentence else Cause(words, (note,) if note else ())


def contract(failed: Failed, is_explained: bool = False) -> Iterator[Cause]:
    """What does not hold from one shape or type to another.

    A fault that is named explains why the ratio of two draws is not everywhere the same.
    """
    for test, words in CONTRACT.items():
        if test in failed:
            note = failed[test].note
            if is_explained and test == "coupling" and "is not constant" in note:
                continue
            if test == "types" and note.startswith("its "):
                yield Cause(note)
            else:
                yield Cause(words, (note,) if note else ())


def plain(failed: Failed) -> Iterator[Cause]:
    """The notes of single values and of places that say all: a dead row, a period."""
    for item in _noted(failed):
        if _is_plain(item):
            yield Cause(item.note)


def noted(failed: Failed) -> Iterator[Cause]:
    """What these tests saw, the plainest first: two at most.

    >>> seen = Decision(test="atoms", verdict="FAIL", p=0.0, alpha=1e-12, note="row 0 is 0")
    >>> [cause.words for cause in noted({"atoms": seen})]
    ['row 0 is 0']
    """

    def order(item: Decision) -> int:
        strong = _name(item) in ("neighbours", "lag") and 0.5 < abs(item.statistic) < 1.2
        return 0 if _is_plain(item) else 1 if strong else 2

    for item in sorted(_noted(failed), key=order)[:2]:
        yield Cause(item.note)


def _noted(failed: Failed) -> list[Decision]:
    found = {_name(item): item for item in failed.values() if item.note}
    if "places" in found:
        found.pop("norms", None)  # the same of each draw
    return [found[test] for test in NOTED if test in found]


def _is_plain(item: Decision) -> bool:
    return any(words in item.note for words in _PLAIN)


def _name(item: Decision) -> str:
    """In a complex type these are tests of the moduli."""
    return item.test.rpartition(".")[2]
