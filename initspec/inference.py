"""Which schemes an untrained tensor could have come from.

Measured on 2026-11-21, by ``tests/test_infer.py``, on rectangular tensors of 6,144 to 24,000
elements: of 5,000 drawn from random schemes of the registry, in four types and with their layouts
mostly unknown, 4,999 had the true law in the first group; of 5,012 of foreign laws (exponential,
Student t with 2 to 10 degrees of freedom, Laplace, mixtures of two scales, normal plus a low rank,
shifted, clipped, pruned and coarse ones), each as wide as a scheme's, none got a name. At 6,144
elements laws nearer to ours may get one: Student t with 20 degrees of freedom, a normal law clipped
at three and a half standard deviations, or shifted by less than a tenth of one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .candidates import Candidate, Origin, candidates, filled, plainest
from .compare import draws, ks
from .distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from .errors import InitSpecError, SpecError, UnknownName
from .layout import Fans, Layout, Shape, fans
from .registry import dialects
from .structure import DeltaOrthogonal, Orthogonal, Sparse, Stencil

#: Of tensors drawn from a law that is known here, so many at most are not given it in the first
#: group: once by the tests of fit, and once by the likelihoods.
ALPHA = 1e-4

_ELEMENTS = (Normal, Uniform, TruncatedNormal)

# The frameworks whose weights have their output axis first.
_OUT_FIRST = (
    *("torch", "timm", "fvcore", "mmengine", "caffe", "chainer", "equinox", "mlx", "mxnet"),
    *("mindspore", "tinygrad"),
)
_OUT_LAST = (
    *("keras", "tensorflow", "tf.contrib", "tf.contrib-docs"),
    *("jax", "flax", "haiku", "sonnet"),
)


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


@dataclass(frozen=True, slots=True)
class Inference:
    """What an untrained tensor could have come from.

    ``groups`` hold the laws that fit, in the order of their likelihood. Those in one group cannot
    be told apart: none is less likely than the group's likeliest by more than a factor of
    ``M / 1e-4``, with ``M`` the number of laws that were tried, so that a law which is the true one
    stands in the first group but for a chance of 1e-4. Within a group the plainest name goes first:
    bare names, then the dialects of PyTorch, Keras, TensorFlow, JAX and Flax, then the others, then
    names with arguments, of frameworks in the same order; laws whose names are equally plain go by
    likelihood. No group at all means that the tensor is none of ours.

    ``looks`` is the law of a usual family (normal, uniform, cut at two parent standard deviations)
    that fits with the tensor's own mean and scale, whether or not a scheme has them; None where
    none does. ``needed`` is how many elements it would take to tell the first law from
    those of its group with half or twice its variance; None where there are none, so that the
    tensor is large enough to say something.
    """

    shape: Shape
    dtype: str
    layouts: tuple[str, ...]
    groups: tuple[tuple[Match, ...], ...]
    looks: Distribution | None
    needed: int | None
    sentence: str

    @property
    def names(self) -> tuple[str, ...]:
        """All names in the first group, the plainest first; empty where nothing fits."""
        first = self.groups[0] if self.groups else ()
        return tuple(sorted({name for match in first for name in match.names}, key=plainest))

    @property
    def law(self) -> Distribution | None:
        """The law with the plainest name in the first group, or None where nothing fits."""
        return self.groups[0][0].law if self.groups else None

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "layouts": list(self.layouts),
            "looks": described(self.looks) if self.looks is not None else None,
            "needed": self.needed,
            "sentence": self.sentence,
            "groups": [
                [
                    {
                        "law": described(match.law),
                        "mean": match.law.mean,
                        "std": match.law.std,
                        "log_likelihood": match.log_likelihood,
                        "names": [
                            {"name": origin.name, "layouts": list(origin.layouts)}
                            for origin in match.origins
                        ],
                    }
                    for match in group
                ]
                for group in self.groups
            ],
        }

    def lines(self, most: int = 3) -> list[str]:
        """The sentence, and the first laws of the first group with their plainest names."""
        lines = [self.sentence]
        first = self.groups[0] if self.groups else ()
        for match in first[:most]:
            lines.append(f"  {described(match.law)}: {_some(match.origins, 4)}")
        if len(first) > most:
            lines.append(f"  and {_laws(len(first) - most)} that cannot be told from these")
        return lines


def infer(
    array: Any,
    layout: Layout | str | None = None,
    framework: str | None = None,
    *,
    dtype: str | None = None,
) -> Inference:
    """Name the schemes and dialects that an untrained tensor could have come from.

    Every law of the registry on the tensor's shape is tried, with default and usual arguments
    (:data:`initspec.candidates.USUAL`). One that the tests of :mod:`initspec.fit` refuse is out;
    a tensor of the law itself is refused once in 10,000 times. Those that are left are grouped by
    their likelihood, and ordered by how plain their names are, as :class:`Inference` says.

    Without a ``layout`` both usual orders of the axes are tried, ``(spatial..., in, out)`` and
    ``(out, in, spatial...)``; with a ``framework`` its own, and only the bare names and that
    dialect. ``array`` is anything that NumPy reads, of float64, float32, float16 or bfloat16, or a
    PyTorch tensor; ``dtype="bfloat16"`` reads its bits in uint16.

    Raises :class:`SpecError` for an empty tensor, NaN and infinity, and what is no number, and
    :class:`LayoutError` for a layout that does not fit.

    >>> from initspec import get
    >>> weight = get("he_normal@torch").numpy((96, 64), seed=0, layout="oi")
    >>> found = infer(weight, framework="torch")
    >>> found.names[:1]
    ('he_normal@torch',)
    >>> infer(weight * 3).sentence.partition(":")[0]
    'None of ours'
    """
    from .fit import Sample, narrowest

    values, given = _numbers(array, dtype)
    shape = values.shape
    layouts = _layouts(len(shape), layout, framework)
    for one in layouts:
        one.roles(shape)
    sample = Sample(values, narrowest(values, given))
    laws = candidates(shape, layouts, framework)
    groups = _groups([*_whole(sample, laws, layouts, framework), *_single(sample, laws)], len(laws))
    looks, needed = _looks(sample), _needed(groups, sample.n)
    return Inference(
        shape=shape,
        dtype=given,
        layouts=tuple(map(str, layouts)),
        groups=groups,
        looks=looks[0] if looks else None,
        needed=needed,
        sentence=_sentence(sample, groups, looks, needed, layouts),
    )


# ---------------------------------------------------------------------------------- what is given


def _numbers(array: Any, dtype: str | None) -> tuple[Any, str]:
    """The numbers of a tensor in float64, and the type that they were given in."""
    import numpy as np

    from .backends import _host, backend

    if hasattr(array, "detach"):
        array = backend("torch").tohost(array)
    try:
        found = np.asarray(array)
    except (TypeError, ValueError) as error:
        raise SpecError(f"an array of numbers was expected: {error}.") from None
    if found.dtype == np.uint16 and dtype == "bfloat16":
        name = "bfloat16"
    elif found.dtype.name in _host.DTYPES:
        name = found.dtype.name
    elif found.dtype.kind in "iub" and found.dtype != np.uint16:
        name = "float64"
    else:
        raise SpecError(
            f"weights are of {', '.join(_host.DTYPES)}, not {found.dtype}; "
            "bits of bfloat16 in uint16 need dtype='bfloat16'."
        )
    if dtype is not None and _host.dtype_name(dtype) != name:
        raise SpecError(f"the array is of {name}, not of {dtype}.")
    if found.size == 0:
        raise SpecError(f"the tensor of shape {found.shape} is empty: it says nothing.")
    values = _host.widened(found)
    wrong = int(values.size - np.count_nonzero(np.isfinite(values)))
    if wrong:
        raise SpecError(
            f"{wrong} of {values.size} values are NaN or infinite: no scheme draws them, and "
            "nothing can be inferred from the rest."
        )
    return values, name


def _layouts(ndim: int, layout: Layout | str | None, framework: str | None) -> tuple[Layout, ...]:
    if framework is not None and framework not in dialects():
        raise UnknownName("framework", framework, dialects())
    if layout is not None:
        return (Layout.of(layout, ndim),)
    orders = (framework in _OUT_FIRST,) if framework in _OUT_FIRST + _OUT_LAST else (False, True)
    return tuple(dict.fromkeys(Layout.of(None, ndim, out_first=order) for order in orders))


# --------------------------------------------------------------------------------------- what fits


def _single(sample: Any, laws: tuple[Candidate, ...]) -> Iterator[Match]:
    """Laws of single elements that no test refuses."""
    from .fit import refusal

    for one in laws:
        if isinstance(one.law, _ELEMENTS) and refusal(one.law, sample, ALPHA) is None:
            yield Match(one.law, sample.log_likelihood(one.law), one.origins)


def _whole(
    sample: Any, laws: tuple[Candidate, ...], layouts: tuple[Layout, ...], framework: str | None
) -> Iterator[Match]:
    """Constant laws, and laws of a whole tensor, that the tensor meets to rounding."""
    from .fit import holds

    if sample.n < 2:
        return  # one number meets a constant whatever its law
    found: dict[Distribution, dict[str, dict[str, None]]] = {}
    known = (one for one in laws if not isinstance(one.law, _ELEMENTS))
    for one in (*known, *_read(sample, laws, layouts, framework)):
        layout = one.layout or layouts[0]
        if one.law in found or holds(one.law, sample, layout, ALPHA):
            names = found.setdefault(one.law, {})
            for origin in one.origins:
                under = origin.layouts or map(str, layouts)
                names.setdefault(origin.name, {}).update(dict.fromkeys(under))
    fixed = any(isinstance(law, (Constant, Stencil)) for law in found)
    for law, names in found.items():
        if fixed and not isinstance(law, (Constant, Stencil)):
            continue  # an identity matrix is orthogonal, and no random one is it
        origins = (
            Origin(name, () if len(under) == len(layouts) else tuple(under))
            for name, under in names.items()
        )
        yield Match(law, math.inf, tuple(sorted(origins, key=lambda one: plainest(one.name))))


def _read(
    sample: Any, laws: tuple[Candidate, ...], layouts: tuple[Layout, ...], framework: str | None
) -> Iterator[Candidate]:
    """Laws with an argument that can be read off the tensor."""
    from .fit import gain, holds, zeros_of_lines

    def of(**fields: Any) -> Iterator[Candidate]:
        return filled(fields, sample.values.shape, layouts, framework)

    if sample.low == sample.high:
        yield from of(value=sample.low)
        return
    haar = [(one.law, one.layout) for one in laws if isinstance(one.law, Orthogonal)]
    for law, layout in {(law.rows, law.columns): (law, layout) for law, layout in haar}.values():
        scale = gain(sample, law)
        named = any(math.isclose(scale, other.gain, rel_tol=1e-3) for other, _ in haar)
        if named or layout is None or min(law.rows, law.columns) < 2:
            continue
        for digits in range(1, 7):  # the roundest that fits
            found = float(f"{scale:.{digits}g}")
            if holds(replace(law, gain=found), sample, layout, ALPHA):
                yield from (one for one in of(gain=found) if isinstance(one.law, Orthogonal))
                break
    if sample.zeros < 0.005:
        return
    for count in (2, 4, 8, 16, 32, 64):
        yield from of(groups=count)
    seen = set()
    for one in laws:
        if isinstance(one.law, Sparse) and one.layout is not None:
            side, length = one.law.zeros_per, one.law.length
            zeros = zeros_of_lines(one.law, sample, one.layout)
            if zeros and zeros < length and (zeros, length, side) not in seen:
                seen.add((zeros, length, side))
                sparsity = _shortest(zeros, length)
                yield from of(sparsity=sparsity)
                yield from of(sparsity=sparsity, zeros_per=side) if side == "in" else ()


def _shortest(zeros: int, length: int) -> float:
    """The sparsity with the fewest digits of which so many zeros come."""
    for digits in range(1, 12):
        sparsity = math.floor(zeros / length * 10.0**digits) / 10.0**digits
        if math.ceil(sparsity * length) == zeros:
            return sparsity
    return zeros / length


def _groups(matches: list[Match], tried: int) -> tuple[tuple[Match, ...], ...]:
    """Matches by likelihood, cut where one falls too far behind the likeliest; then by name.

    For one other law Markov's inequality says that it is likelier than the true one by a factor
    of ``k`` with a probability of at most ``1 / k``; here they are ``tried`` of them.
    """
    gap = math.log(max(tried, 1) / ALPHA)
    found: list[list[Match]] = []
    for match in sorted(matches, key=lambda one: (-one.log_likelihood, plainest(one.names[0]))):
        leader = found[-1][0].log_likelihood if found else math.nan
        near = leader == match.log_likelihood or leader - match.log_likelihood <= gap
        if found and near:
            found[-1].append(match)
        else:
            found.append([match])
    return tuple(tuple(sorted(group, key=_plain_then_likely)) for group in found)


def _plain_then_likely(match: Match) -> tuple[bool, int, float, str]:
    arguments, rank, name = plainest(match.names[0])
    return arguments, rank, -match.log_likelihood, name


def _needed(groups: tuple[tuple[Match, ...], ...], n: int) -> int | None:
    """How many draws tell the first law from the nearest of its group with another variance."""
    if n < 2:
        return int(draws(ks(Normal(0.0, 1.0), Normal(0.0, math.sqrt(0.5)))))
    if not groups or not isinstance(groups[0][0].law, _ELEMENTS):
        return None
    law = groups[0][0].law
    others = [one.law for one in groups[0] if not 0.5 < one.law.variance / law.variance < 2]
    return max(n + 1, *(int(draws(ks(law, other))) for other in others)) if others else None


# ------------------------------------------------------------------------------------ in words


def described(law: Distribution) -> str:
    """A law in a few words and numbers.

    >>> described(TruncatedNormal(0.0, 0.02, -2.0, 2.0))
    'normal cut at -2 and 2 parent stds, std 0.0175925'
    """
    match law:
        case Constant():
            return f"always {law.value:.6g}"
        case Uniform():
            return f"uniform on ({law.low:.6g}, {law.high:.6g})"
        case Normal():
            return f"normal, {_mean(law)}std {law.std:.6g}"
        case TruncatedNormal():
            cut = f"normal cut at {law.low:.6g} and {law.high:.6g} parent stds"
            return f"{cut}, {_mean(law)}std {law.std:.6g}"
        case Orthogonal():
            return f"orthogonal, {_size(law)}, gain {law.gain:.6g}"
        case DeltaOrthogonal():
            return f"orthogonal at the middle tap, {_size(law)}, gain {law.gain:.6g}"
        case Sparse():
            zeros = f"{law.zeros} zeros in the {law.length} weights of each {law.unit}"
            return f"{zeros}, else std {law.sigma:.6g}"
    return f"fixed numbers between {law.support[0]:.6g} and {law.support[1]:.6g}"


def _size(law: Orthogonal | DeltaOrthogonal) -> str:
    times = f"{law.count} times " if law.count > 1 else ""
    return f"{times}{law.rows} by {law.columns}"


def _mean(law: Normal | TruncatedNormal) -> str:
    return f"mean {law.mean:.6g}, " if law.mean else ""


def _some(origins: tuple[Origin, ...], most: int) -> str:
    named = ", ".join(map(str, origins[:most]))
    return named + (f" and {len(origins) - most} more names" if len(origins) > most else "")


def _laws(count: int) -> str:
    return f"{count} more law{'s' * (count > 1)}"


def _sentence(
    sample: Any,
    groups: tuple[tuple[Match, ...], ...],
    looks: tuple[Distribution, ...],
    needed: int | None,
    layouts: tuple[Layout, ...],
) -> str:
    if not groups and sample.n > 1:
        if not looks:
            return f"None of ours: {_strange(sample)}."
        also = f" ({' and '.join(map(described, looks[1:]))} fits as well)" if looks[1:] else ""
        return f"None of ours: {described(looks[0])}{also}, {_scale(sample, looks[0], layouts)}."
    if needed is not None:
        stds = [one.law.std for one in groups[0]] if groups else []
        alike = (
            f"{len(stds)} laws fit alike, of standard deviations from {min(stds):.3g} to "
            f"{max(stds):.3g}; "
            if len(stds) > 1
            else ""
        )
        values = f"{sample.n:,} values are" if sample.n > 1 else "One value is"
        return f"{values} too few to say anything: {alike}about {needed:,} tell such laws apart."
    first = groups[0]
    also = f"; or {_laws(len(first) - 1)}" if len(first) > 1 else ""
    return f"Could be {first[0].origins[0]}: {described(first[0].law)}{also}."


def _fitted(sample: Any) -> Iterator[Distribution]:
    """A law of each family, with the tensor's own numbers."""
    n, low, high = sample.n, sample.low, sample.high
    std = math.sqrt(sample.variance)
    mean = sample.mean if abs(sample.mean) > 4 * std / math.sqrt(n) else 0.0
    yield Normal(mean, std)
    gap = (high - low) / (n - 1)
    limit = max(-low, high) * (1 + 1 / n)
    even = abs(low + high) < 20 * gap
    yield Uniform(-limit, limit) if even else Uniform(low - gap, high + gap)
    wide = max(mean - low, high - mean) / 2
    yield TruncatedNormal(
        mean, max(std / TruncatedNormal(0.0, 1.0, -2.0, 2.0).std, wide), -2.0, 2.0
    )


def _looks(sample: Any) -> tuple[Distribution, ...]:
    """The laws of usual families, with the tensor's own numbers, that fit: the likeliest first."""
    from .fit import refusal

    if sample.n < 2 or sample.low == sample.high:
        return ()
    fits = [law for law in _fitted(sample) if refusal(law, sample, ALPHA) is None]
    return tuple(sorted(fits, key=sample.log_likelihood, reverse=True))


#: How many different numbers samplers make that work in a narrow type themselves; a law rounded
#: to that type has thousands.
_LEVELS = {"bfloat16": 384, "float16": 1024}


def _strange(sample: Any) -> str:
    """What a tensor of no usual family has about it."""
    from .fit import refusal

    if sample.dtype in _LEVELS and sample.distinct <= _LEVELS[sample.dtype] < sample.n / 4:
        return (
            f"it has only {sample.distinct} different numbers, as samplers that work in "
            f"{sample.dtype} itself make them (JAX's is one): no law that is known here"
        )
    refusals = [refusal(law, sample, ALPHA) for law in _fitted(sample)]
    numbers = f"mean {sample.mean:.3g}, std {math.sqrt(sample.variance):.3g}"
    if any(found is not None and found.test == "matrix" for found in refusals):
        return (
            f"its elements hang together, {numbers}; a part of low rank, as training adds, "
            "makes its largest singular value larger than chance does"
        )
    number, count = sample.longest
    if any(found is not None and found.test == "repeats" for found in refusals):
        return f"the number {number:.6g} stands in it {count:,} times; {numbers}"
    return (
        f"neither normal nor uniform nor a normal law cut at two parent stds; {numbers}, "
        f"excess kurtosis {sample.kurtosis:.3g}"
    )


def _scale(sample: Any, law: Distribution, layouts: tuple[Layout, ...]) -> str:
    """The scale of a law that is no scheme's, by the fans that could stand behind it."""
    if len(sample.values.shape) < 2:
        if isinstance(law, Uniform) and law.low == -law.high:
            return (
                f"a limit of 1 / sqrt({law.high**-2:.0f}); a bias bounded by its weight's fan_in, "
                "as PyTorch's, has that in its place"
            )
        return "which is no scheme's scale"
    counted = []
    for layout in layouts:
        try:
            count: Fans = fans(sample.values.shape, layout)
        except InitSpecError:
            continue
        counted.append(
            f"{law.variance * count.fan_in:.3g} / fan_in or {law.variance * count.fan_out:.3g} / "
            f"fan_out with layout {layout}"
        )
    scales = f", {'; '.join(counted)}" if counted else ""
    return f"which is no scheme's scale on this shape (variance {law.variance:.4g}{scales})"
