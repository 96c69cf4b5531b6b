"""The clauses of the spec, and the checks that hold each of them.

A run of our own matrix is complete if every clause was put to a test that could have refused it.
:func:`uncovered` says which were not: a clause that nobody checks is a promise and not a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..errors import InitSpecError
from ..spec.scheme import Scheme
from .cases.files import Case, read_all
from .cases.run import problem
from .report.record import FAIL, PASS, Record, Report
from .targets.claims import claimed


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence of the spec, and the checks that hold it."""

    #: Its name, by subject.
    id: str
    #: What the spec promises.
    sentence: str
    #: Patterns as a shell's of the checks that hold it. A check is
    #: ``test|distribution|mode|layout|type|name``: a decision of the suite with its cell's facts,
    #: or ``case KIND`` in place of the test for a case of the files.
    checks: tuple[str, ...]


def _law(distribution: str, sentence: str, test: str = "ks") -> Clause:
    return Clause(f"law.{distribution}", sentence, (f"{test}|{distribution}|*",))


CLAUSES: tuple[Clause, ...] = (
    _law("normal", "A normal law has the quantiles of N(mean, std**2) and no bounds."),
    _law("uniform", "A uniform law is even between its ends."),
    _law("truncated_normal", "A truncated law is the normal one between its bounds, drawn again."),
    _law("constant", "A constant is its value in every place.", "exact"),
    _law("identity", "An identity is one where input and output match.", "exact"),
    _law("dirac", "A Dirac kernel is one at the middle tap where channels match.", "exact"),
    _law("bilinear", "A bilinear kernel holds the weights of linear interpolation.", "exact"),
    _law("orthogonal", "An orthogonal matrix has orthonormal rows or columns.", "residual"),
    Clause("law.haar", "Its law is Haar's.", ("diagonal|orthogonal|*", "bilinear|orthogonal|*")),
    _law("delta_orthogonal", "A delta-orthogonal kernel is zero beside its middle tap.", "taps"),
    _law(
        "sparse",
        "Each column of a sparse matrix, or each row, has the same number of zeros.",
        "zeros",
    ),
    _law("custom", "A law of one's own has the cdf, or the quantiles, of its class."),
    Clause(
        "law.custom.itself",
        "Its cdf, its quantiles and its moments agree, or it is no law.",
        ("law|custom|*",),
    ),
    _law("array", "A given array is its own law.", "case spec"),
    Clause(
        "law.support",
        "No value leaves the support, but for the rounding of its ends.",
        ("support|truncated_normal|*", "support|uniform|*"),
    ),
    Clause("law.mean", "The mean is the one stated.", ("m1|*", "ks|*")),
    Clause("law.independence", "Elements are independent of each other.", ("lag|*",)),
    Clause("law.tensors", "Tensors of different seeds are independent.", ("tensors|*",)),
    Clause("mode.FAN_IN", "FAN_IN divides by fan_in.", ("variance|*|FAN_IN|*",)),
    Clause(
        "mode.FAN_OUT",
        "FAN_OUT divides by fan_out.",
        ("variance|*|FAN_OUT|*", "case spec|*|FAN_OUT|*"),
    ),
    Clause("mode.FAN_AVG", "FAN_AVG divides by the mean of both.", ("variance|*|FAN_AVG|*",)),
    Clause(
        "mode.FAN_GEO_AVG",
        "FAN_GEO_AVG divides by their geometric mean.",
        ("case spec|*|FAN_GEO_AVG|*",),
    ),
    Clause("mode.bias_unit", "A bias unit adds one to fan_in.", ("case spec|*bias_unit=True*",)),
    Clause(
        "mode.power",
        "Another power of the fan divides as it says.",
        ("variance|*mup_readout*", "case spec|*power=*"),
    ),
    Clause(
        "numbers.texts",
        "A number may be arithmetic over the fans.",
        ("variance|*siren_first*", "case spec|*fan_avg*"),
    ),
    Clause("factor", "A factor multiplies the variance.", ("formula|*",)),
    Clause("gain", "A gain multiplies the standard deviation.", ("case spec|*gain=*",)),
    Clause(
        "gain.nonlinearity",
        "A nonlinearity has its gain, a leaky rectifier one of its slope.",
        ("case spec|*leaky_relu*", "case spec|*gelu*"),
    ),
    Clause(
        "truncation.parent",
        "Bounds count parent standard deviations.",
        ("case spec|truncated_normal|*|he_normal/*",),
    ),
    Clause(
        "truncation.result",
        "Bounds count standard deviations of the result.",
        ("case spec|truncated_normal|*unit='result'*",),
    ),
    Clause(
        "truncation.absolute",
        "Bounds are taken as they are.",
        ("case spec|truncated_normal|*unit='absolute'*",),
    ),
    Clause(
        "truncation.corrected",
        "A corrected truncation has the variance asked for.",
        ("variance|truncated_normal|FAN_IN|*",),
    ),
    Clause(
        "truncation.uncorrected",
        "An uncorrected one has the variance of the parent, cut.",
        ("variance|truncated_normal|None|*truncated_normal *",),
    ),
    Clause(
        "truncation.stated",
        "A number multiplies the parent's variance.",
        ("variance|truncated_normal|*tf.contrib*",),
    ),
    Clause("fans.true", "Fans are multiplications for each output and input.", ("fans|*",)),
    Clause("fans.naive", "Dialects count as their frameworks do.", ("case layer|*",)),
    Clause("fans.groups", "Fans are counted within a group.", ("case spec|*groups=4*",)),
    Clause("fans.none", "A tensor without an input axis has no fans.", ("case negative|*bias*",)),
    Clause("layout.layers", "Every layer of the frameworks has its layout.", ("case layer|*",)),
    Clause("layout.order", "Layouts hold one weight.", ("reference|*", "layouts|*")),
    Clause("dtype.float64", "float64 is the same law, finer.", ("ks|*|float64|*",)),
    Clause("dtype.float32", "float32 is the type in which all agree.", ("ks|*|float32|*",)),
    Clause("dtype.bfloat16", "bfloat16 is rounded to nearest even.", ("types|*|bfloat16|*",)),
    Clause("dtype.float16", "float16 is rounded to nearest even.", ("types|*|float16|*",)),
    Clause("seed.repeats", "The same seed gives the same values.", ("seed|*",)),
    Clause("seed.differs", "Another seed gives others, up to 64 bits.", ("seeds|*",)),
    Clause("seed.globals", "A draw with a seed moves no global state.", ("globals|*",)),
    Clause("seed.names", "Keys come from names.", ("case duplicate|*other-name*",)),
    Clause("stream.known", "Keys, words and tensors are the known answers.", ("known|*",)),
    Clause("stream.reference", "A backend is the reference, bit for bit.", ("reference|*",)),
    Clause("stream.words", "End words are finite, inside, in order.", ("words|*",)),
    Clause("stream.injected", "So they are through the backend itself.", ("injected|*",)),
    Clause("stream.window", "A window is that part of the whole.", ("reference|*",)),
    Clause("stream.native", "The framework's own sampler has the law too.", ("ks|*-native *",)),
    Clause("errors", "What cannot be is refused with a sentence.", ("case negative|*",)),
)


def uncovered(report: Report, cases: Iterable[Case] = ()) -> tuple[Clause, ...]:
    """The clauses that no decision of the report and none of the cases, all run, holds.

    >>> from initspec.conformance import check
    >>> missing = {clause.id for clause in uncovered(check("numpy", "he_normal"))}
    >>> "law.truncated_normal" in missing, "law.sparse" in missing
    (False, True)
    """
    run = {*_of_report(report), *_of_cases(cases)}
    return tuple(
        clause
        for clause in CLAUSES
        if not any(fnmatchcase(check, pattern) for pattern in clause.checks for check in run)
    )


def records(report: Report) -> Iterator[Record]:
    """What a run of the whole matrix has besides its cells: every case, and every clause.

    A case that does not hold is a FAIL, and so is a clause that nothing which was run holds.
    """
    cases = read_all()
    wrong = {case.id: fault for case in cases if (fault := problem(case)) is not None}
    for id, fault in wrong.items():
        yield Record(cell=f"case {id}", target="cases", scheme="", verdict=FAIL, sentence=fault)
    if not wrong:
        sentence = f"all {len(cases)} cases of the files hold"
        yield Record(cell="cases", target="cases", scheme="", verdict=PASS, sentence=sentence)
    missing = uncovered(report, [case for case in cases if case.id not in wrong])
    for clause in missing:
        sentence = f"nothing that was run holds the sentence {clause.sentence!r}"
        name = f"clause {clause.id}"
        yield Record(cell=name, target="clauses", scheme="", verdict=FAIL, sentence=sentence)
    if not missing:
        sentence = f"all {len(CLAUSES)} clauses of the spec were put to a test"
        yield Record(cell="clauses", target="clauses", scheme="", verdict=PASS, sentence=sentence)


def _of_report(report: Report) -> Iterator[str]:
    for record in report.records:
        facts = _facts(record)
        for item in record.decisions:
            if item.applies:
                yield f"{item.test}|{facts}"


def _facts(record: Record) -> str:
    try:
        scheme: Scheme | None = claimed(record.scheme)
    except InitSpecError:  # a scheme of the user's own has a formula and no name
        scheme = None
    kind = scheme.distribution if scheme else ""
    mode = scheme.mode if scheme else None
    return f"{kind}|{mode}|{record.layout}|{record.dtype}|{record.cell}"


def _of_cases(cases: Iterable[Case]) -> Iterator[str]:
    for case in cases:
        fields = case.body.get("scheme", {})
        layout = case.body.get("tensor", {}).get("layout", "")
        kind, mode = (
            (fields.get("distribution"), fields.get("mode"))
            if isinstance(fields, dict)
            else (fields, None)
        )
        yield f"case {case.kind}|{kind}|{mode}|{layout}||{case.id}"
