"""The laws that a tensor fits, grouped by their likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from ..spec.distance import draws, ks
from ..spec.distribution import Constant, Distribution, Normal
from ..spec.layout import Layout
from ..spec.tensor_laws import Orthogonal, Sparse, Stencil
from .candidates import Candidate, Origin, filled, plainest
from .goodness_of_fit import ALPHA, refusal
from .sample import Sample
from .tensor_fit import gain, holds, zeros_of_lines

#: The laws that cannot be told apart, the plainest name first; the likeliest group comes first.
Groups = tuple[tuple["Match", ...], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A law that a tensor could have been drawn from, under all its names, the plainest first.

    ``log_likelihood`` is that of all elements together, in nats; infinite for a law that ties the
    elements together, since no other law would meet it.
    """

    law: Distribution
    log_likelihood: float
    origins: tuple[Origin, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that mean this law on the tensor's shape."""
        return tuple(origin.name for origin in self.origins)


def merged(laws: tuple[Candidate, ...], defaults: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """The laws of schemes with the layers that draw by them, and the laws of layers alone."""
    layers = {candidate.law: candidate.origins for candidate in defaults}
    schemes = []
    for candidate in laws:
        own = layers.pop(candidate.law, ()) if candidate.law.elementwise else ()
        origins = sorted((*candidate.origins, *own), key=lambda origin: plainest(origin.name)[:2])
        schemes.append(replace(candidate, origins=tuple(origins)))
    return *schemes, *(Candidate(law, None, origins) for law, origins in layers.items())


def groups_of(
    sample: Sample,
    laws: tuple[Candidate, ...],
    layouts: tuple[Layout, ...],
    framework: str | None = None,
) -> Groups:
    """The laws that no test refuses, the likeliest group first.

    Those of a group cannot be told apart: none is less likely than the group's likeliest by more
    than a factor of ``len(laws) / ALPHA``. For one other law Markov's inequality says that it is
    likelier than the true one by a factor of ``k`` with a probability of at most ``1 / k``; here
    they are ``len(laws)`` of them.
    """
    whole = of_tensors(sample, laws, layouts, framework)
    return grouped((*whole, *of_elements(sample, laws)), len(laws))


def grouped(matches: Iterable[Match], tried: int) -> Groups:
    """Matches in groups, where so many laws were tried."""
    gap = math.log(max(tried, 1) / ALPHA)
    groups: list[list[Match]] = []
    for match in sorted(matches, key=_likely_then_plain):
        leader = groups[-1][0].log_likelihood if groups else math.nan
        if leader == match.log_likelihood or leader - match.log_likelihood <= gap:
            groups[-1].append(match)
        else:
            groups.append([match])
    return tuple(tuple(sorted(group, key=_plain_then_likely)) for group in groups)


def elements_needed(groups: Groups, n: int) -> int | None:
    """How many draws tell the first law from the nearest of its group with another variance."""
    if n < 2:
        return int(draws(ks(Normal(0.0, 1.0), Normal(0.0, math.sqrt(0.5)))))
    if not groups or not groups[0][0].law.elementwise:
        return None
    law = groups[0][0].law
    others = [match.law for match in groups[0] if not 0.5 < match.law.variance / law.variance < 2]
    return max(n + 1, *(int(draws(ks(law, other))) for other in others)) if others else None


def _likely_then_plain(match: Match) -> tuple[float, tuple[bool, float, str]]:
    return -match.log_likelihood, plainest(match.names[0])


def _plain_then_likely(match: Match) -> tuple[bool, float, float, str]:
    arguments, rank, name = plainest(match.names[0])
    return arguments, rank, -match.log_likelihood, name


# ------------------------------------------------------------------------------------ what matches


def of_elements(sample: Sample, laws: tuple[Candidate, ...]) -> Iterator[Match]:
    """Laws of single elements that no test refuses."""
    for candidate in laws:
        law = candidate.law
        if law.elementwise and refusal(law, sample, ALPHA) is None:
            yield Match(law, sample.log_likelihood(law), candidate.origins)


def of_tensors(
    sample: Sample,
    laws: tuple[Candidate, ...],
    layouts: tuple[Layout, ...],
    framework: str | None,
) -> Iterator[Match]:
    """Constant laws, and laws of a whole tensor, that the tensor meets to rounding."""
    if sample.n < 2 and sample.low not in (0.0, 1.0):
        return  # one number meets a constant whatever its law; zero and one are no chance
    names_of: dict[Distribution, dict[str, dict[str, None]]] = {}
    named = (candidate for candidate in laws if not candidate.law.elementwise)
    for candidate in (*named, *_read_off(sample, laws, layouts, framework)):
        law, layout = candidate.law, candidate.layout or layouts[0]
        if law in names_of or holds(law, sample, layout, ALPHA):
            names = names_of.setdefault(law, {})
            for origin in candidate.origins:
                under = origin.layouts or map(str, layouts)
                names.setdefault(origin.name, {}).update(dict.fromkeys(under))
    fixed = any(isinstance(law, (Constant, Stencil)) for law in names_of)
    for law, names in names_of.items():
        if fixed and not isinstance(law, (Constant, Stencil)):
            continue  # an identity matrix is orthogonal, and no random one is it
        origins = (
            Origin(name, () if len(under) == len(layouts) else tuple(under))
            for name, under in names.items()
        )
        yield Match(law, math.inf, tuple(sorted(origins, key=lambda origin: plainest(origin.name))))


# ------------------------------------------------------------------- arguments read off the tensor


def _read_off(
    sample: Sample,
    laws: tuple[Candidate, ...],
    layouts: tuple[Layout, ...],
    framework: str | None,
) -> Iterator[Candidate]:
    """Laws with an argument that can be read off the tensor."""

    def of(**fields: object) -> Iterator[Candidate]:
        return filled(fields, sample.values.shape, layouts, framework)

    if sample.low == sample.high:
        yield from of(value=sample.shortest(sample.low))
        return
    for scale in _gains(sample, laws):
        yield from (scaled for scaled in of(gain=scale) if isinstance(scaled.law, Orthogonal))
    if sample.zeros < 0.005:
        return
    for groups in (2, 4, 8, 16, 32, 64):
        yield from of(groups=groups)
    for sparsity, side in _sparsities(sample, laws):
        yield from of(sparsity=sparsity)
        yield from of(sparsity=sparsity, zeros_per=side) if side == "in" else ()


def _gains(sample: Sample, laws: tuple[Candidate, ...]) -> Iterator[float]:
    """The roundest gain at which the tensor's matrices are orthogonal, where no law has it."""
    haar = [(item.law, item.layout) for item in laws if isinstance(item.law, Orthogonal)]
    for law, layout in {(law.rows, law.columns): (law, layout) for law, layout in haar}.values():
        scale = gain(sample, law)
        named = any(math.isclose(scale, other.gain, rel_tol=1e-3) for other, _ in haar)
        if named or layout is None or min(law.rows, law.columns) < 2:
            continue
        rounded = (float(f"{scale:.{digits}g}") for digits in range(1, 7))
        fitting = (
            value for value in rounded if holds(replace(law, gain=value), sample, layout, ALPHA)
        )
        yield from islice(fitting, 1)


def _sparsities(sample: Sample, laws: tuple[Candidate, ...]) -> Iterator[tuple[float, str]]:
    """The sparsity of tensors with as many zeros in each line, and the side that has the lines."""
    seen = set()
    for candidate in laws:
        law, layout = candidate.law, candidate.layout
        if isinstance(law, Sparse) and layout is not None:
            zeros = zeros_of_lines(law, sample, layout)
            line = zeros, law.length, law.zeros_per
            if zeros and zeros < law.length and line not in seen:
                seen.add(line)
                yield _shortest(zeros, law.length), law.zeros_per


def _shortest(zeros: int, length: int) -> float:
    """The sparsity with the fewest digits of which so many zeros come."""
    for digits in range(1, 12):
        sparsity = math.floor(zeros / length * 10.0**digits) / 10.0**digits
        if math.ceil(sparsity * length) == zeros:
            return sparsity
    return zeros / length
