"""The family of tests of places: each with an error of its own, or all with one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..finding import Finding
from . import evenness, lags, places
from .place_scores import Scores

#: Tests of the marginal law, without which scores are not what they should be.
_LAW = {
    *("support", "edges", "least", "greatest", "extreme"),
    *("ks", "m1", "m2", "m3", "m4", "mean", "variance"),
}
#: A p-value below which a test has refused, whatever the run.
_REFUSED = 1e-11


def is_refused(found: Iterable[Finding]) -> bool:
    """Whether the marginal law is another, so that ranks say more of the places than scores."""
    return any(item.test in _LAW and item.p < _REFUSED for item in found)


def family(scores: Scores, one: bool = False) -> Iterator[Finding]:
    """Places, norms, sizes, neighbours, evenness and rank; ``one`` makes one decision of all."""
    found = [
        places.places(scores),
        places.norms(scores),
        lags.lags(scores.sizes, "squares"),
        lags.neighbours(scores.centred, scores.sizes),
        evenness.even(scores),
        evenness.rank(scores),
    ]
    if not one:
        yield from found
        return
    worst = min(found, key=lambda item: item.p)
    yield worst._replace(test="places", p=min(1.0, worst.p * len(found)))
