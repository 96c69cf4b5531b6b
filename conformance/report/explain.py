"""Diagnosis of a FAIL: what is wrong, named in the first sentence; the numbers follow.

A scale is named where its interval excludes that it is right, and called right where the interval
is narrow; else what the values exclude is said. What follows from another fault is not told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ...spec.scheme import Scheme
from ...spec.tensor_laws import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil
from ..finding import title
from ..probability import bounds, transform
from ..probability.own_law import Own, Sampled, seen
from . import matrices, structure
from . import seen as told_by
from .cause import Cause, share, text_of
from .formulas import explaining
from .looks import Looks, claimed_name
from .record import Decision

Array = NDArray[Any]

#: A scale is called right where its interval is no wider than this on either side.
_NARROW = 0.05

#: What else a test refuses, in words of its own; what it saw follows as a number.
_SEEN = {
    **told_by.CORRELATED,
    "duplicates": "blocks, gates or tensors are copies of each other",
    "collisions": "values repeat more often than the type makes them",
    "edges": "values pile up in the last step before a bound",
}
_EXTREME = {"least", "greatest", "extreme"}
_LAW = {"ks", "m1", "m2", "m3", "m4", "variance", "mean", "support", *_EXTREME}


@dataclass(frozen=True)
class _Sight:
    """What was drawn, what was expected, and the tests that refuse."""

    scheme: Scheme
    shape: Shape
    layout: Layout
    law: Distribution
    values: Array
    failed: Mapping[str, Decision]
    dtype: str

    @cached_property
    def looks(self) -> Looks:
        """The values beside the law, whatever their place and scale."""
        return Looks(self.values, self.law, self.dtype.endswith("16"))

    @property
    def level(self) -> float:
        """The chance that an interval misses."""
        return min((item.alpha for item in self.failed.values() if item.alpha > 0), default=1e-12)

    @cached_property
    def scale(self) -> tuple[float, float, float] | None:
        """The spread about the values' own mean in units of the law's, and its interval."""
        if not 0 < self.law.std < math.inf or self.values.size < 2:
            return None
        kurtosis = self.law.kurtosis
        if not self.looks.is_own or not math.isfinite(kurtosis):
            kurtosis = self.looks.kurtosis
        ratio = self.looks.std / self.law.std
        error = bounds.z(self.level / 2) * math.sqrt(max(kurtosis + 2, 0.05) / self.values.size) / 2
        return ratio, ratio * max(1 - error, 0.0), ratio * (1 + error)

    @property
    def is_off(self) -> bool:
        """Whether the scale is proven to be another one."""
        return self.scale is not None and not self.scale[1] <= 1 <= self.scale[2]

    @cached_property
    def measured(self) -> list[str]:
        """The scale in words: wrong, right, or what is excluded."""
        if self.scale is None:
            return []
        ratio, low, high = self.scale
        if self.is_off:
            return [f"scale {ratio:.4f} times the documented one ({low:.4f} to {high:.4f})"]
        if self.failed.keys() & {*told_by.OF_SCALE}:
            return []  # right here, and wrong elsewhere
        if high - ratio <= _NARROW:
            return [f"the scale is right: {ratio:.4f} ({low:.4f} to {high:.4f})"]
        return [
            f"scales below {low:.3g} and above {high:.3g} times the documented one are excluded"
        ]


def explain(
    scheme: Scheme,
    shape: Shape,
    layout: Layout,
    values: Array,
    failed: Sequence[Decision],
    dtype: str = "float32",
) -> str:
    """What is wrong, in a sentence for each cause, and the numbers that were measured.

    >>> from initspec import get
    >>> values = np.full((4, 6, 8), 0.25)
    >>> refused = Decision(test="ks", verdict="FAIL", p=0.0, alpha=1e-12)
    >>> explain(get("he_normal"), (6, 8), Layout("io"), values, [refused])
    'All values are 0.25: nothing is drawn. 192 equal values.'
    """
    law = seen(scheme.on(shape, layout))
    sight = _Sight(scheme, shape, layout, law, values, {item.test: item for item in failed}, dtype)
    causes = list(told_by.conduct(sight.failed))
    others = sight.failed.keys() - {*told_by.CONDUCT, *told_by.CONTRACT}
    if values.size and not _is_fixed(law):
        found = [*structure.nothing_drawn(values), *structure.same_tensors(values, dtype)]
        if found:  # the rest follows
            numbers = tuple(number for cause in causes for number in cause.numbers)
            return text_of([*found[:1], Cause("", numbers)])
    if values.size and others and "seeds" not in sight.failed:
        causes += _by_law(sight)
    contract = list(told_by.contract(sight.failed, bool(causes)))
    if any(test in sight.failed for test in told_by.OF_SCALE) and not others and sight.is_off:
        contract = [*_off(sight), *contract]
    return text_of([*causes, *contract] or list(_by_title(sight)))


def _is_fixed(law: Distribution) -> bool:
    return isinstance(law, (Constant, Stencil, Given)) or law.std == 0


def _by_law(sight: _Sight) -> Iterator[Cause]:
    law, values = sight.law, sight.values
    if _is_fixed(law):
        numbers = law if isinstance(law, (Constant, Stencil, Given)) else Constant(law.mean)
        yield from matrices.fixed(values, numbers, sight.layout, sight.dtype)
    elif isinstance(law, (Orthogonal, DeltaOrthogonal)):
        yield from matrices.orthogonal(values, law, sight.layout, sight.failed)
    elif isinstance(law, Sparse):
        yield from _sparse(sight, law)
    else:
        yield from _elements(sight)


def _sparse(sight: _Sight, law: Sparse) -> Iterator[Cause]:
    causes = list(matrices.sparse(sight.values, law, sight.layout, sight.failed))
    rest = sight.values[sight.values != 0]
    if not causes and rest.size > 1:
        normal = Normal(0.0, law.sigma)
        causes = list(_law(replace(sight, law=normal, values=rest[None])))
    yield from causes


# --------------------------------------------------------------------------------- single elements


def _elements(sight: _Sight) -> Iterator[Cause]:
    """The first that is seen: copies, piles, a missing sign, uneven places; then the law."""
    values = sight.values
    for found in (
        structure.mirrored(values[0]) if values.ndim == 3 else (),
        structure.piles(values, sight.dtype),
        structure.copies(values, sight.dtype),
        _sign(sight),
    ):
        if causes := list(found):
            yield from causes
            return
    causes = list(told_by.plain(sight.failed))
    if not causes and "collisions" in sight.failed:
        causes += structure.coarse(values, sight.dtype, isinstance(sight.law, Uniform))
    causes = causes or list(structure.uneven(values))
    if causes:
        if sight.is_off and sight.looks.is_own:
            causes += _off(sight)
    else:
        law = list(_law(sight))
        causes = [*_dependence(sight, bool(law)), *law]
    yield from causes


def _sign(sight: _Sight) -> Iterator[Cause]:
    """No value is negative, or none is positive, where the law has as many of both."""
    law, x = sight.law, sight.values.reshape(-1)
    low, high = law.support
    if low != -high or law.mean != 0 or x.size < 20:
        return
    if isinstance(law, Sampled) or (x.min() < 0 < x.max()):
        return
    if float(np.abs(x).min()) > 0.2 * float(x.std()):
        return  # it is not that they begin at zero: they lie elsewhere
    side = "negative" if x.min() >= 0 else "positive"
    folded = 2 * transform.cdf(law, np.sort(np.abs(x))) - 1
    distance = float(np.abs(folded - (np.arange(x.size) + 0.5) / x.size).max())
    is_folded = distance <= 1.6 / math.sqrt(x.size) + 0.002
    told = ", and their sizes are right" if is_folded else ""
    yield Cause(
        f"the sign is missing: no value is {side}{told}",
        (f"least value {x.min():.4g}, greatest {x.max():.4g}",),
    )


def _law(sight: _Sight) -> Iterator[Cause]:
    """Another shape, another mean, another scale, or values beyond the bounds."""
    looks, law = sight.looks, sight.law
    if looks.std == 0 or not sight.failed.keys() & _LAW:
        return
    causes = list(_shape(sight))
    if math.isfinite(law.mean):
        gap = looks.mean - law.mean
        error = bounds.z(sight.level / 2) * looks.std / math.sqrt(sight.values.size)
        if abs(gap) > error and not any("skewed" in cause.words for cause in causes):
            numbers = (
                f"mean {looks.mean:.4g} ({looks.mean - error:.4g} to "
                f"{looks.mean + error:.4g}) in place of {law.mean:.4g}",
            )
            by = gap / law.std if 0 < law.std < math.inf else math.nan
            words = f"the mean is off by {by:+.3g} standard deviations"
            if _is_swapped(sight):
                words = "the mean and the standard deviation are swapped"
            causes.append(Cause(words, numbers))
    if sight.is_off:
        causes += _off(sight)
    ends = [] if causes else list(_ends(sight))
    yield from causes or ends
    if (causes or ends) and not sight.is_off and (causes or "right" in "".join(sight.measured)):
        yield Cause("", tuple(sight.measured))


def _off(sight: _Sight) -> Iterator[Cause]:
    """The scale is proven to be wrong; what explains it, where something does."""
    assert sight.scale is not None
    ratio, low, high = sight.scale
    kind = sight.looks.kind
    if kind == "normal" and isinstance(sight.law, TruncatedNormal) and _is_parent(sight):
        yield Cause("", tuple(sight.measured))
        return
    if _is_swapped(sight):
        yield Cause("", tuple(sight.measured))
        return
    reasons = explaining(sight.scheme, sight.shape, sight.layout, sight.law, kind, low, high)
    told = f", explained by {' or '.join(reasons)}" if reasons else ""
    size = "large" if ratio > 1 else "small"
    yield Cause(f"the scale is too {size}{told}", tuple(sight.measured))


def _is_swapped(sight: _Sight) -> bool:
    """Whether the mean is the law's spread, and the spread its mean."""
    law, looks = sight.law, sight.looks
    pairs = ((looks.std, abs(law.mean)), (looks.mean, law.std))
    if law.mean == 0 or math.isclose(abs(law.mean), law.std, rel_tol=0.2):
        return False
    return all(math.isclose(a, b, rel_tol=0.05) for a, b in pairs)


def _is_parent(sight: _Sight) -> bool:
    """Whether the spread is that of the parent of a truncated law, and not the law's own."""
    law = sight.law
    assert isinstance(law, TruncatedNormal)
    return (
        sight.scale is not None
        and sight.is_off
        and sight.scale[1] <= law.sigma / law.std <= sight.scale[2]
    )


def _shape(sight: _Sight) -> Iterator[Cause]:
    looks, law = sight.looks, sight.law
    if looks.is_own or isinstance(law, (Own, Sampled)):
        return
    claimed, numbers = claimed_name(law), [f"excess kurtosis {looks.kurtosis:.3f}"]
    if math.isfinite(law.kurtosis):
        numbers[0] += f" in place of {law.kurtosis:.3f}"
    if looks.kind == "normal" and isinstance(law, TruncatedNormal):
        absolute = (
            ", with the parent's standard deviation, as where a=-2 and b=2 of PyTorch's "
            "trunc_normal_ are absolute bounds and cut nothing"
        )
        words = "the truncation is missing: the values are normal"
        yield Cause(words + (absolute if _is_parent(sight) else ""), tuple(numbers))
    elif looks.names:
        yield Cause(f"the law is {' or '.join(looks.names)}, not {claimed}", tuple(numbers))
    elif abs(looks.skewness) > 8 * math.sqrt(6 / sight.values.size):
        numbers.insert(0, f"skewness {looks.skewness:.3f}")
        yield Cause(f"the law is skewed: it is not {claimed}", tuple(numbers))
    elif abs(looks.kurtosis - law.kurtosis) > 8 * math.sqrt(24 / sight.values.size):
        tails = "heavier" if looks.kurtosis > law.kurtosis else "lighter"
        words = f"the tails are {tails} than the documented law's: it is not {claimed}"
        yield Cause(words, tuple(numbers))
    else:
        yield Cause(f"the law has another shape: it is not {claimed}", tuple(numbers))


def _ends(sight: _Sight) -> Iterator[Cause]:
    """The law but for its ends: values beyond the bounds, or none far out."""
    law, x = sight.law, sight.values
    if "support" in sight.failed:
        outside = int(np.count_nonzero((x < law.support[0]) | (x > law.support[1])))
        yield Cause(
            "some values lie beyond the bounds",
            (
                f"{share(outside, x.size)} values",
                f"bounds {law.support[0]:.6g} and "
                f"{law.support[1]:.6g}, farthest {x.flat[np.abs(x - law.mean).argmax()]:.6g}",
            ),
        )
    elif tests := sight.failed.keys() & _EXTREME:
        beyond = any(sight.failed[test].statistic * x.size < 1 for test in tests)
        ends = {"least": "low", "greatest": "high"}
        side = " and ".join(ends[test] for test in ends if test in tests) or "far"
        where = "lie farther out than so many values reach" if beyond else "are missing"
        far = float(np.abs(x - law.mean).max()) / law.std
        yield Cause(
            f"the extreme values {where}, at the {side} end",
            (f"none beyond {far:.4g} standard deviations",),
        )


def _dependence(sight: _Sight, other_law: bool) -> Iterator[Cause]:
    """What depends on what, or on its place: these tests hold whatever the marginal law, but for
    that of a value's frequency.
    """
    failed = {test: item for test, item in sight.failed.items() if test != "atoms"}
    notes = list(told_by.noted(failed if other_law else sight.failed))
    scored = [test for test in told_by.CORRELATED if test in sight.failed]
    for test in scored[:1]:
        numbers = _correlation(sight, test) + tuple(cause.words for cause in notes)
        yield Cause(_SEEN[test], numbers)
    if not scored:
        yield from notes


def _correlation(sight: _Sight, test: str) -> tuple[str, ...]:
    decision = sight.failed[test]
    note = f"{test} {decision.note}" if test in ("rows", "columns", "tensors") else decision.note
    return (f"correlation {decision.statistic:+.3g}, {note}".rstrip(", "),)


def _note(sight: _Sight, test: str) -> tuple[str, ...]:
    note = sight.failed[test].note
    return (note,) if note else ()


def _by_title(sight: _Sight) -> Iterator[Cause]:
    """The tests in words, where nothing else explains them."""
    for test, decision in sight.failed.items():
        if test in _SEEN:
            yield Cause(_SEEN[test], _note(sight, test))
        elif len(decision.note.split()) > 3:
            yield Cause(decision.note)
        else:
            yield Cause(f"{title(test) or test}: more than chance allows", _note(sight, test))
