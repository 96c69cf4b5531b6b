"""A difference of two schemes, as numbers, lines and plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from ..errors import SpecError
from ..public import public
from ..spec.distribution import Distribution
from ..spec.fan_rules import Shape
from ..spec.scheme import Scheme

# -------------------------------------------------------------------------------------- the diff


@dataclass(frozen=True, slots=True)
class Side:
    """One of two schemes, on a shape; numbers that its law does not say are None."""

    name: str
    formula: str
    law: Distribution
    mean: float | None
    variance: float | None
    support: tuple[float, float]
    kurtosis: float | None

    @classmethod
    def of(cls, scheme: Scheme, law: Distribution) -> Side:
        """The numbers of a law; a custom one may leave some of them out."""
        name = scheme.name or repr(scheme)
        mean, variance, kurtosis = (
            _number_or_none(law, word) for word in ("mean", "variance", "kurtosis")
        )
        return cls(name, scheme.formula, law, mean, variance, law.support, kurtosis)

    def to_dict(self) -> dict[str, Any]:
        """As plain data; the law is named by its kind."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**data, "law": self.law.kind, "support": list(self.support)}


def _number_or_none(law: Distribution, word: str) -> float | None:
    try:
        return float(getattr(law, word))
    except SpecError:
        return None


@public
@dataclass(frozen=True, slots=True)
class Difference:
    """What tells two schemes apart on one shape.

    ``variance_ratio`` is the second's variance by the first's. ``ks`` is the Kolmogorov distance of
    single elements, None where :func:`ks` knows none. ``draws_ks`` and ``draws_variance`` are how
    many draws of the second show that they are not the first's: by Kolmogorov and Smirnov's test at
    a false alarm rate of 1e-3, ``(1.949 / ks)**2``, and by a variance that is five standard errors
    off, ``25 (kurtosis + 2) / (variance_ratio - 1)**2``; infinity where it never shows.
    """

    shape: Shape
    layout: str
    first: Side
    second: Side
    same: bool
    variance_ratio: float | None
    ks: float | None
    draws_ks: float
    draws_variance: float
    sentence: str

    @property
    def draws(self) -> float:
        """How many draws show it, by whichever test needs fewer; infinity where none does."""
        return min(self.draws_ks, self.draws_variance)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "shape": list(self.shape),
            "layout": self.layout,
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "same": self.same,
            "variance_ratio": self.variance_ratio,
            "ks": self.ks,
            "draws": {"ks": self.draws_ks, "variance": self.draws_variance},
            "sentence": self.sentence,
        }

    def lines(self) -> list[str]:
        """Two columns, what tells them apart, and what it means."""
        import textwrap

        width, head = 40, "  "  # of a column, of every line
        table = [f"on shape {self.shape}, layout {self.layout}", ""]
        for word in ("name", "formula", "mean", "variance", "std", "support", "kurtosis"):
            cells = [
                textwrap.wrap(_cell(side, word), width, break_on_hyphens=False) or [""]
                for side in (self.first, self.second)
            ]
            for i in range(max(map(len, cells))):
                left, right = (cell[i] if i < len(cell) else "" for cell in cells)
                title = word if i == 0 and word != "name" else ""
                table.append(f"{head}{title:10}{left:{width}}  {right}".rstrip())
        ratio = "unknown" if self.variance_ratio is None else f"{self.variance_ratio:.6g}"
        distance = "unknown" if self.ks is None else f"{self.ks:.6g}"
        table += [
            "",
            f"{head}variance ratio       {ratio}",
            f"{head}Kolmogorov distance  {distance}",
            f"{head}draws that show it   {count_in_words(self.draws_ks)} by Kolmogorov-Smirnov, "
            f"{count_in_words(self.draws_variance)} by the variance",
            "",
        ]
        return table + textwrap.wrap(self.sentence, 96)


def _cell(side: Side, word: str) -> str:
    if word in ("name", "formula"):
        return str(getattr(side, word))
    if word == "support":
        return f"({side.support[0]:.6g}, {side.support[1]:.6g})"
    if word == "std":
        value = None if side.variance is None else math.sqrt(side.variance)
    else:
        value = getattr(side, word)
    return "unknown" if value is None else f"{value:.6g}"


def count_in_words(n: float) -> str:
    """A number of draws, with commas; ``"no number"`` for infinity."""
    return f"{n:,.0f}" if math.isfinite(n) else "no number"
