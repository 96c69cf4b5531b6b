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

from ..errors import SpecError, UnknownName
from ..public import public
from ..readings.registry import dialects
from ..spec.distance import draws, ks
from ..spec.distribution import Constant, Distribution, Normal
from ..spec.fan_rules import Shape
from ..spec.law_in_words import described
from ..spec.layout import Layout
from ..spec.tensor_laws import Orthogonal, Sparse, Stencil
from .candidates import Candidate, Match, Origin, candidates, filled, plainest
from .fit import ALPHA
from .inference_in_words import laws_in_words, looks_like, sentence_of, some

# The frameworks whose weights have their output axis first.
_OUT_FIRST = (
    *("torch", "timm", "fvcore", "mmengine", "caffe", "chainer", "equinox", "mlx", "mxnet"),
    *("mindspore", "tinygrad"),
)
_OUT_LAST = (
    *("keras", "tensorflow", "tf.contrib", "tf.contrib-docs"),
    *("jax", "flax", "haiku", "sonnet"),
)


@public
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
            lines.append(f"  {described(match.law)}: {some(match.origins, 4)}")
        if len(first) > most:
            lines.append(f"  and {laws_in_words(len(first) - most)} that cannot be told from these")
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
    (:data:`initspec.analysis.candidates.USUAL`). One that the tests of :mod:`initspec.analysis.fit` refuse is out;
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
    from ..stream.dtypes import narrowest
    from .sample import Sample

    values, given = _numbers(array, dtype)
    shape = values.shape
    layouts = _layouts(len(shape), layout, framework)
    for one in layouts:
        one.roles(shape)
    sample = Sample(values, narrowest(values, given))
    laws = candidates(shape, layouts, framework)
    groups = _groups([*_whole(sample, laws, layouts, framework), *_single(sample, laws)], len(laws))
    looks, needed = looks_like(sample), _needed(groups, sample.n)
    return Inference(
        shape=shape,
        dtype=given,
        layouts=tuple(map(str, layouts)),
        groups=groups,
        looks=looks[0] if looks else None,
        needed=needed,
        sentence=sentence_of(sample, groups, looks, needed, layouts),
    )


# ---------------------------------------------------------------------------------- what is given


def _numbers(array: Any, dtype: str | None) -> tuple[Any, str]:
    """The numbers of a tensor in float64, and the type that they were given in."""
    import numpy as np

    from ..plugins import backend
    from ..stream import dtypes

    if hasattr(array, "detach"):
        array = backend("torch").tohost(array)
    try:
        found = np.asarray(array)
    except (TypeError, ValueError) as error:
        raise SpecError(f"an array of numbers was expected: {error}.") from None
    if found.dtype == np.uint16 and dtype == "bfloat16":
        name = "bfloat16"
    elif found.dtype.name in dtypes.DTYPES:
        name = found.dtype.name
    elif found.dtype.kind in "iub" and found.dtype != np.uint16:
        name = "float64"
    else:
        raise SpecError(
            f"weights are of {', '.join(dtypes.DTYPES)}, not {found.dtype}; "
            "bits of bfloat16 in uint16 need dtype='bfloat16'."
        )
    if dtype is not None and dtypes.dtype_name(dtype) != name:
        raise SpecError(f"the array is of {name}, not of {dtype}.")
    if found.size == 0:
        raise SpecError(f"the tensor of shape {found.shape} is empty: it says nothing.")
    values = dtypes.widened(found)
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
        if one.law.elementwise and refusal(one.law, sample, ALPHA) is None:
            yield Match(one.law, sample.log_likelihood(one.law), one.origins)


def _whole(
    sample: Any, laws: tuple[Candidate, ...], layouts: tuple[Layout, ...], framework: str | None
) -> Iterator[Match]:
    """Constant laws, and laws of a whole tensor, that the tensor meets to rounding."""
    from .fit_tensor import holds

    if sample.n < 2:
        return  # one number meets a constant whatever its law
    found: dict[Distribution, dict[str, dict[str, None]]] = {}
    known = (one for one in laws if not one.law.elementwise)
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
    from .fit_tensor import gain, holds, zeros_of_lines

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
    if not groups or not groups[0][0].law.elementwise:
        return None
    law = groups[0][0].law
    others = [one.law for one in groups[0] if not 0.5 < one.law.variance / law.variance < 2]
    return max(n + 1, *(int(draws(ks(law, other))) for other in others)) if others else None
