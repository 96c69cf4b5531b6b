"""A finding: what one test says of one cell, and the titles of the tests."""

from __future__ import annotations

from typing import NamedTuple


def certain(test: str, wrong: float, note: str) -> Finding:
    """A finding that refuses, with its note, if anything is wrong."""
    return Finding(test, float(wrong), 0.0 if wrong else 1.0, note if wrong else "")


def not_applicable(test: str, why: str) -> Finding:
    """A finding that passes, because the target does not let the question be asked."""
    return Finding(test, 0.0, 1.0, f"not applicable: {why}", applies=False)


class Finding(NamedTuple):
    """One test's statistic and p-value, and a word on what it saw.

    Without ``applies`` the test could not be put to the target, and passes.
    """

    test: str
    statistic: float
    p: float
    note: str = ""
    applies: bool = True


#: What a test measures, by its name. A test of a complex type has ``modulus.`` or ``angle.`` before
#: its name: see :func:`title`.
TESTS = {
    "support": "values beyond the bounds",
    "least": "the least value, as a probability",
    "greatest": "the greatest value, as a probability",
    "extreme": "the farther of both",
    "ks": "distance from the law's distribution function (Kolmogorov–Smirnov)",
    "m1": "first moment of the uniform scores (Legendre)",
    "m2": "second moment of the uniform scores (Legendre)",
    "m3": "third moment of the uniform scores (Legendre)",
    "m4": "fourth moment of the uniform scores (Legendre)",
    "variance": "mean square about the law's mean, over the law's variance",
    "edges": "values in the last step before a bound",
    "collisions": "values that repeat",
    "atoms": "one value's share of all, of a row, a column or a place",
    "lag": "correlation at the lag where it is greatest, of all lags",
    "squares": "correlation of sizes at the lag where it is greatest",
    "neighbours": "correlation of neighbours in each axis, of parts and of mirror images",
    "places": "means and spreads of places, rows and columns over all draws",
    "norms": "sums and norms of rows, columns and tensors: too uneven or too even",
    "even": "spacings, means and spreads that are more even than chance",
    "rank": "rank of the matrices",
    "rows": "correlation of rows",
    "columns": "correlation of columns",
    "symmetry": "correlation of a matrix and its transpose",
    "tensors": "correlation of tensors with different seeds",
    "shift": "correlation of streams that may overlap",
    "duplicates": "blocks or tensors that are copies",
    "exact": "values other than the fixed ones",
    "residual": "distance of Q'Q from the identity, in units in the last place",
    "norm": "mean square of the entries against the law's, in units in the last place",
    "diagonal": "positive signs on the diagonal",
    "signs": "positive signs at each place",
    "trace": "sum of the diagonal",
    "determinant": "positive determinants",
    "entries": "law of single entries",
    "largest": "the largest entry",
    "repeats": "entries of a column that are zero, or of one size",
    "mirrored": "entries of a row that are of the size of the column's",
    "bilinear": "law of bilinear forms",
    "rotation": "fourth powers before and after a reflection",
    "blocks": "alignment of stacked matrices",
    "taps": "values beside the middle tap that are not zero",
    "zeros": "zeros that are missing or too many",
    "positions": "rows in which the zeros lie",
    "masks": "zeros that two columns share",
    "seed": "values that change though the seed does not",
    "seeds": "seeds that give the same values",
    "buffer": "tensors whose memory another draw changes",
    "generator": "draws of one generator that are the same",
    "globals": "generators that a draw with a seed moves",
    "types": "values that are not the float32 ones, rounded",
    "coupling": "scale from one shape to another",
    "base": "scale over the sampler's standard numbers",
    "fans": "fans against a count of multiplications",
    "formula": "standard deviation against the formula by hand",
    "words": "ends of the stream's words",
    "reference": "bits that differ from the reference",
    "known": "known answers that differ",
    "layouts": "layouts that do not hold one weight",
    "injected": "words that come out otherwise",
    "law": "a law of the user's own that contradicts itself",
    "mean": "mean of the normal scores, or of the values where no cdf is known",
    "modulus": "correlation of angle and modulus",
}


def title(test: str) -> str:
    """What a test measures, in words; empty for one that nobody knows.

    >>> title("lag"), title("modulus.lag")
    ('correlation at the lag where it is greatest, of all lags', 'modulus: correlation at the lag \
where it is greatest, of all lags')
    """
    part, _, name = test.rpartition(".")
    words = TESTS.get(name, "")
    return f"{part}: {words}" if part and words else words
