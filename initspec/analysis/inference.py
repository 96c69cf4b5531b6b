"""Which schemes an untrained tensor could have come from.

Measured on 2026-11-21, by ``tests/analysis/test_infer.py``, on rectangular tensors of 6,144 to
24,000 elements: of 5,000 drawn from random schemes of the registry, in four types and with their
layouts mostly unknown, 4,999 had the true law in the first group; of 5,012 of foreign laws
(exponential, Student t with 2 to 10 degrees of freedom, Laplace, mixtures of two scales, normal
plus a low rank, shifted, clipped, pruned and coarse ones), each as wide as a scheme's, none got a
name. At 6,144 elements laws nearer to ours may get one: Student t with 20 degrees of freedom, a
normal law clipped at three and a half standard deviations, or shifted by less than a tenth of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..errors import SpecError, UnknownName
from ..plugins import backend
from ..public import public
from ..readings.registry import dialects
from ..spec.distribution import Constant, Distribution
from ..spec.fan_rules import Shape
from ..spec.layout import Layout
from ..spec.tensor_laws import Sparse
from ..stream import dtypes
from .apart import set_apart
from .candidates import Candidate, candidates, layer_candidates, plainest
from .goodness_of_fit import looks_like
from .inference_in_words import laws_in_words, names_in_words, parts_in_words, sentence_of
from .matches import (
    Groups,
    Match,
    elements_needed,
    grouped,
    groups_of,
    merged,
    of_elements,
    of_tensors,
)
from .parts import Part, parts_of
from .patterns import pattern, quantised
from .sample import Sample
from .tensor_fit import stacked

Laws = tuple[Candidate, ...]


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

    ``apart`` says in words what was set apart before the rest was judged: zero or constant rows and
    columns, copies of others, a tail that nobody filled. ``parts`` are stretches of an axis with
    laws of their own, where the tensor as a whole has none: a fused weight's, a bias's of gates.

    >>> from initspec import get, infer
    >>> infer(get("glorot_uniform").numpy((96, 64), seed=0)).names[0]
    'glorot_uniform'
    """

    shape: Shape
    dtype: str
    layouts: tuple[str, ...]
    groups: tuple[tuple[Match, ...], ...]
    looks: Distribution | None
    needed: int | None
    sentence: str
    apart: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names in the first group, the plainest first; empty where nothing fits.

        >>> from initspec import get, infer
        >>> "lecun_normal" in infer(get("lecun_normal").numpy((96, 64), seed=0)).names
        True
        """
        first = self.groups[0] if self.groups else ()
        return tuple(sorted({name for match in first for name in match.names}, key=plainest))

    @property
    def law(self) -> Distribution | None:
        """The law with the plainest name in the first group, or None where nothing fits.

        >>> from initspec import infer
        >>> infer([[0.0, 0.0], [0.0, 0.0]]).law
        Constant(value=0.0)
        """
        return self.groups[0][0].law if self.groups else None

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        >>> from initspec import infer
        >>> infer([[1.0, 1.0], [1.0, 1.0]]).to_dict()["shape"]
        [2, 2]
        """
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "layouts": list(self.layouts),
            "looks": self.looks.words if self.looks is not None else None,
            "needed": self.needed,
            "sentence": self.sentence,
            "apart": list(self.apart),
            "parts": [part.to_dict() for part in self.parts],
            "groups": [
                [
                    {
                        "law": match.law.words,
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
        """The sentence, and the first laws of the first group with their plainest names.

        >>> from initspec import infer
        >>> infer([[1.0, 1.0], [1.0, 1.0]]).lines()[0][:14]
        'Could be ones:'
        """
        lines = [self.sentence]
        first = self.groups[0] if self.groups else ()
        for match in first[:most]:
            lines.append(f"  {match.law.words}: {names_in_words(match.origins, 4)}")
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
    (:data:`initspec.analysis.candidates.USUAL`), and what the frameworks' layers draw by default,
    which is named as ``"torch.nn.LSTM#weight_ih_l0"``. Rows and columns that are zero, constant or
    copies of others, and stretches that nobody filled, are set apart and said, and the laws are
    tried on the rest. A law that the tests of :mod:`initspec.analysis.goodness_of_fit` refuse is
    out; a tensor of the law itself is refused once in 10,000 times. Those that are left are grouped
    by their likelihood, and ordered by how plain their names are, as :class:`Inference` says.

    Without a ``layout`` both usual orders of the axes are tried, ``(spatial..., in, out)`` and
    ``(out, in, spatial...)``; with a ``framework`` its own, and only the bare names and that
    dialect. ``array`` is anything that NumPy reads, of float64, float32, float16 or bfloat16, or a
    PyTorch tensor; ``dtype="bfloat16"`` reads its bits in uint16.

    Raises :class:`SpecError` for an empty tensor, NaN and infinity, and what is no number, and
    :class:`LayoutError` for a layout that does not fit.

    >>> from initspec import get
    >>> weight = get("he_normal@torch").numpy((96, 64), seed=0, layout="oi")
    >>> infer(weight, framework="torch").names[:1]
    ('he_normal@torch',)
    >>> infer(weight * 3).sentence.partition(":")[0]
    'None of ours'
    """
    values, given = _numbers(array, dtype)
    shape = values.shape
    layouts = _layouts(len(shape), layout, framework)
    for tried in layouts:
        tried.roles(shape)  # raises where it does not fit
    sample = Sample(values, dtypes.narrowest(values, given))
    laws = merged(candidates(shape, layouts, framework), layer_candidates(shape, framework))
    groups, rest, apart, stack = _judged(sample, laws, layouts, framework)
    parts: tuple[Part, ...] = ()
    if not groups and not pattern(sample):
        judge = partial(_of_part, given, laws, layouts, framework)
        parts = parts_of(sample, judge, stacked=stack)
        apart = () if parts else apart
    looks, needed = looks_like(rest), elements_needed(groups, rest.n)
    said = sentence_of(rest, groups, looks, needed, layouts, apart)
    return Inference(
        shape=shape,
        dtype=given,
        layouts=tuple(map(str, layouts)),
        groups=groups,
        looks=looks[0] if looks else None,
        needed=needed,
        sentence=parts_in_words(parts, len(shape)) if parts else said,
        apart=apart,
        parts=parts,
    )


class _Judged(NamedTuple):
    """The laws that fit, what they were tried on, and in words what was set apart from it."""

    groups: Groups
    rest: Sample
    apart: tuple[str, ...] = ()
    stacked: bool = False


def _judged(
    sample: Sample, laws: Laws, layouts: tuple[Layout, ...], framework: str | None
) -> _Judged:
    whole = tuple(of_tensors(sample, laws, layouts, framework))
    sparse = any(isinstance(match.law, Sparse) for match in whole)
    if stacked(sample, (match.law for match in whole)):
        return _Judged((), sample, stacked=True)
    if whole and not sparse:
        return _Judged(grouped((*whole, *of_elements(sample, laws)), len(laws)), sample)
    left = set_apart(sample)
    if not left.words:
        drawn = () if pattern(sample) else of_elements(sample, laws)
        return _Judged(grouped((*whole, *drawn), len(laws)), sample)
    # an embedding's padding, say: the others are what was drawn
    rest = Sample(left.values, dtypes.narrowest(left.values, sample.dtype))
    groups: Groups = ()
    if rest.n and not pattern(rest):
        ndim = rest.values.ndim
        own = layouts if ndim == sample.values.ndim else (Layout.of(None, ndim),)
        single = (one for one in laws if one.law.elementwise or isinstance(one.law, Constant))
        groups = groups_of(rest, tuple(single), own, framework)
    mask = sample.distinct == 2 and sample.values.ndim > 1
    if not groups and (sparse or mask or quantised(sample)):
        return _Judged(grouped(whole, len(laws)), sample)
    return _Judged(groups, rest, left.words)


def _of_part(
    given: str, laws: Laws, layouts: tuple[Layout, ...], framework: str | None, values: Any
) -> tuple[Groups, Distribution | None]:
    """What a part of a tensor could have been drawn from, by its own shape or by the whole's."""
    part = Sample(values, dtypes.narrowest(values, given))
    shape = values.shape
    single = [candidate for candidate in laws if candidate.law.elementwise]
    known = {candidate.law for candidate in single}
    own = merged(candidates(shape, layouts, framework), layer_candidates(shape, framework))
    more = (candidate for candidate in own if candidate.law not in known)
    tried = (*single, *more)
    drawn = () if pattern(part) else of_elements(part, tried)
    groups = grouped((*of_tensors(part, tried, layouts, framework), *drawn), len(tried))
    if groups and elements_needed(groups, part.n) is None:
        return groups, None
    looks = looks_like(part)
    return (), looks[0] if looks else None


# ---------------------------------------------------------------------------------- what is given


def _numbers(array: Any, dtype: str | None) -> tuple[Any, str]:
    """The numbers of a tensor in float64, and the type that they were given in."""
    if hasattr(array, "detach"):
        array = backend("torch").tohost(array)
    try:
        numbers = np.asarray(array)
    except (TypeError, ValueError) as error:
        raise SpecError(f"an array of numbers was expected: {error}.") from None
    if numbers.dtype == np.uint16 and dtype == "bfloat16":
        name = "bfloat16"
    elif numbers.dtype.name in dtypes.DTYPES:
        name = numbers.dtype.name
    elif numbers.dtype.kind in "iub" and numbers.dtype != np.uint16:
        raise SpecError(
            f"numbers of {numbers.dtype} are no weights: a counter, an index, a mask or what "
            f"quantised weights are stored in. Weights are of {', '.join(dtypes.DTYPES)}."
        )
    else:
        raise SpecError(
            f"weights are of {', '.join(dtypes.DTYPES)}, not {numbers.dtype}; "
            "bits of bfloat16 in uint16 need dtype='bfloat16'."
        )
    if dtype is not None and dtypes.dtype_name(dtype) != name:
        raise SpecError(f"the array is of {name}, not of {dtype}.")
    if numbers.size == 0:
        raise SpecError(f"the tensor of shape {numbers.shape} is empty: it says nothing.")
    values = dtypes.widened(numbers)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        raise SpecError(
            f"{len(wrong)} of {values.size} values are NaN or infinite, the first at "
            f"{tuple(wrong[0].tolist())}: no scheme draws them, and nothing can be inferred from "
            "the rest."
        )
    largest = float(np.abs(values).max())
    if largest and not 1e-70 < largest < 1e70:
        raise SpecError(
            f"the largest of {values.size} values is {largest:.3g}: no scheme draws weights so far "
            "from 1 (1e-70 to 1e70), whose fourth powers are no numbers."
        )
    return values, name


def _layouts(ndim: int, layout: Layout | str | None, framework: str | None) -> tuple[Layout, ...]:
    known = dialects()
    if framework is not None and framework not in known:
        raise UnknownName("framework", framework, known)
    if layout is not None:
        return (Layout.of(layout, ndim),)
    usual = None if framework is None else known[framework].get("out_first")
    orders = (False, True) if usual is None else (usual,)
    return tuple(dict.fromkeys(Layout.of(None, ndim, out_first=order) for order in orders))
