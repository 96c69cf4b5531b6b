"""What a run leaves: decisions, records of cells, and the report of them all.

The dataclasses are the format, too: their fields are the keys of the JSON, which
:mod:`initspec.conformance.report.reading` reads back by the same fields.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from xml.etree import ElementTree

from ...plain_text import NAME, SENTENCE, escaped, json_text, sentence
from ...spec.serial import printable

#: The name of the JSON format, and its version: it grows where a field loses or changes its sense.
FORMAT, VERSION = "initspec.report", 1

PASS, FAIL, INCONCLUSIVE, ERROR, SKIP = VERDICTS = (
    "PASS",
    "FAIL",
    "INCONCLUSIVE",
    "ERROR",
    "SKIP",
)

#: What a FAIL counts as where a known deviation expects it.
EXPECTED = "EXPECTED"
OUTCOMES = (*VERDICTS, EXPECTED)

#: Outcomes without colour.
GLYPHS = {PASS: "✓", FAIL: "✗", INCONCLUSIVE: "?", ERROR: "!", SKIP: "–", EXPECTED: "≈"}


@dataclass(frozen=True, slots=True)
class Decision:
    """One test of one cell: its statistic against its share of the error budget."""

    #: The test's name: see :data:`initspec.conformance.finding.TESTS`.
    test: str
    #: :data:`PASS`, :data:`FAIL`, or :data:`ERROR` where the statistic is not a number.
    verdict: str
    #: A bound on the chance of so extreme a value under the null hypothesis; an exact test has 0
    #: or 1.
    p: float
    #: The level: the test refuses where ``p`` is below it.
    alpha: float
    #: What the test measures, in units of its own.
    statistic: float = 0.0
    #: Values that it rests on.
    n: int = 0
    #: The least discrepancy that it shows at this ``n``, but for a chance of ``beta``.
    detectable: float | None = None
    #: The unit of ``detectable``, in words.
    unit: str = ""
    #: Where it looked, or what is wrong.
    note: str = ""
    #: Whether the test could be put to the target.
    applies: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The moments of a sample or of a law."""

    mean: float
    #: The standard deviation.
    std: float
    #: None where there is no spread to speak of a shape, or the law has no such moment.
    skewness: float | None
    #: The excess over a normal law's; None as above.
    kurtosis: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The data of a histogram: the values of a cell beside its law.

    The first bin lies below ``low``, the last above ``high``; the others share what is between
    evenly. There are no bins where all values are equal.
    """

    #: Where the second bin begins.
    low: float
    #: Where the last bin begins.
    high: float
    #: How many values each bin has.
    counts: tuple[int, ...]
    #: The probability that the law gives each bin.
    expected: tuple[float, ...]
    #: The moments of the values.
    measured: Moments
    #: The moments of the law.
    law: Moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The verdict on one cell, with the decisions behind it.

    >>> from initspec.conformance import check
    >>> record = check("numpy", "he_normal", shape=(86, 8)).records[0]
    >>> record.verdict, record.dtype, record.n >= 2**17, record.failed
    ('PASS', 'float32', True, ())
    """

    #: The cell's name, of which its seed is made.
    cell: str
    #: The target as it was given.
    target: str
    #: The scheme that it claims to be; empty for what is no cell, such as a clause of the spec.
    scheme: str
    #: The shape of the tensors that were drawn.
    shape: tuple[int, ...] = ()
    #: The role of each axis, as text.
    layout: str | None = None
    #: The type of the values.
    dtype: str = "float32"
    #: How deep it was looked: one of :data:`initspec.conformance.design.TIERS`.
    tier: str = "stat"
    #: ``portable`` or ``native`` for an adapter; empty for other targets.
    stream: str = ""
    #: One of :data:`VERDICTS`.
    verdict: str = SKIP
    #: Why, where it is not :data:`PASS`.
    sentence: str = ""
    #: The seed of the first tensor.
    seed: int = 0
    #: How many values were drawn.
    n: int = 0
    #: The standard deviation in units of the law's, and the ends of its confidence interval.
    scale: tuple[float, float, float] | None = None
    #: What would explain a FAIL: the wrong formula that gives what was measured.
    explanation: str = ""
    #: How long drawing and judging took.
    seconds: float = 0.0
    #: What each test decided.
    decisions: tuple[Decision, ...] = ()
    #: Why a FAIL is known: see :mod:`initspec.conformance.deviations`.
    expected: str = ""
    #: How a FAIL differs from the known deviation of its cell.
    departure: str = ""
    #: The histogram, where values were drawn to be looked at.
    picture: Picture | None = None
    #: What judges this cell again, alone: a line for a shell, or a call for Python.
    command: str = ""

    @property
    def outcome(self) -> str:
        """The verdict as it counts: :data:`EXPECTED` for a known FAIL.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.records[0].outcome
        'PASS'
        """
        return EXPECTED if self.expected else self.verdict

    @property
    def failed(self) -> tuple[Decision, ...]:
        """The decisions that refuse.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.records[0].failed
        ()
        """
        return tuple(item for item in self.decisions if item.verdict in (FAIL, ERROR))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All records of a run, with its error budget.

    >>> from initspec.conformance import check
    >>> report = check("numpy", "zeros")
    >>> report.conforms, report.exit_code, report.counts["PASS"] == len(report.records)
    (True, 0, True)
    """

    #: The records, in the order of the cells.
    records: tuple[Record, ...]
    #: The most that a run of right initializers is refused with.
    alpha: float
    #: The most that one test misses a fault of the size stated as detectable with.
    beta: float
    #: Where the seeds come from, in words.
    seed: str
    #: Python, the packages that are installed, and the number of cores.
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many cells have each outcome.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.counts["PASS"]
        1
        """
        cells = Counter(record.outcome for record in self.records)
        return {outcome: cells[outcome] for outcome in OUTCOMES}

    @property
    def verdict(self) -> str:
        """The worst verdict; :data:`SKIP` if nothing was tested. What is expected is no fault.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.verdict
        'PASS'
        """
        counts = self.counts
        for verdict in (FAIL, ERROR, INCONCLUSIVE):
            if counts[verdict]:
                return verdict
        return PASS if counts[PASS] or counts[EXPECTED] else SKIP

    @property
    def conforms(self) -> bool:
        """Whether everything tested passed, and something was.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.conforms
        True
        """
        return self.verdict == PASS

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 does not, 3 nothing could be tested.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.exit_code
        0
        """
        return {PASS: 0, SKIP: 3}.get(self.verdict, 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in the JSON report.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.to_dict()["format"]
        'initspec.report/1'
        """
        return {
            "format": f"{FORMAT}/{VERSION}",
            "verdict": self.verdict,
            "counts": self.counts,
            "alpha": self.alpha,
            "beta": self.beta,
            "seed": self.seed,
            "versions": dict(self.versions),
            "records": [_plain(record) for record in self.records],
        }

    def to_json(self) -> str:
        """The report as one JSON document, with a line for each record: there may be thousands.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.to_json()[:1]
        '{'
        """
        plain = printable(self.to_dict())
        records = [json_text(record) for record in plain.pop("records")]
        head = json_text(plain, indent=1).removesuffix("\n}")
        text = ",\n  ".join(records)
        return f'{head},\n "records": [\n  {text}\n ]\n}}\n'

    def lines(self, verbose: bool = False) -> list[str]:
        """The report as text: every cell that does not pass, and the counts.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.lines()[-1][:17]
        'PASS: 1 PASS. A r'
        """
        text: list[str] = []
        for record in self.records:
            if record.verdict != PASS or verbose:
                text += _told(record)
        counts = ", ".join(f"{count} {word}" for word, count in self.counts.items() if count)
        text.append(
            f"{self.verdict}: {counts or 'no cells'}. A run of right initializers is refused at "
            f"most once in {1 / self.alpha:.0e} runs; seeds {escaped(self.seed, NAME)}."
        )
        return text

    def to_markdown(self) -> str:
        """A matrix of targets and dtypes for a job summary, and what did not pass.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> "PASS" in report.to_markdown()
        True
        """
        dtypes = list(dict.fromkeys(record.dtype for record in self.records))
        rows: dict[tuple[str, str], dict[str, list[str]]] = {}
        for record in self.records:
            cells = rows.setdefault((record.target, record.scheme), {})
            cells.setdefault(record.dtype, []).append(record.outcome)
        names = [dtype if dtype.isalnum() else _code(dtype) for dtype in dtypes]
        text = [
            f"### initspec: {self.verdict}",
            "",
            "| target | scheme | " + " | ".join(names) + " |",
            "|---|---|" + "---|" * len(dtypes),
        ]
        for (target, scheme), cells in rows.items():
            marks = [_mark(cells.get(dtype, [])) for dtype in dtypes]
            row = [_code(target), _code(scheme), *marks]
            text.append(f"| {' | '.join(row)} |")
        text += ["", *(f"- {_unmarked(line)}" for line in self.lines())]
        return "\n".join(text) + "\n"

    def to_junit(self) -> str:
        """The report as JUnit's XML, a test case for each cell.

        >>> from initspec.conformance import check
        >>> report = check("numpy", "zeros", shape=(4, 5))
        >>> report.to_junit()[:5]
        '<?xml'
        """
        counts = self.counts
        suite = ElementTree.Element(
            "testsuite",
            name="initspec",
            tests=str(len(self.records)),
            failures=str(counts[FAIL] + counts[INCONCLUSIVE]),
            errors=str(counts[ERROR]),
            skipped=str(counts[SKIP]),
        )
        tags = {FAIL: "failure", INCONCLUSIVE: "failure", ERROR: "error", SKIP: "skipped"}
        for record in self.records:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=escaped(record.target, NAME),
                name=escaped(record.cell, NAME),
                time=f"{record.seconds:.3f}",
            )
            _properties(case, record)
            if record.outcome in tags:
                message = f"{record.outcome}: {record.explanation} {record.sentence}".strip()
                tag = ElementTree.SubElement(case, tags[record.outcome], message=sentence(message))
                if record.outcome in (FAIL, ERROR) and record.command:
                    tag.text = escaped(record.command, SENTENCE)
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def _told(record: Record) -> Iterator[str]:
    """A cell's lines: what is wrong, what shows it, and what judges it again."""
    cell = escaped(record.cell, NAME)
    head = "" if record.explanation else sentence(record.sentence)
    yield f"{record.outcome:12}  {cell}  {head}".rstrip()
    if record.expected:
        yield f"{'':14}known: {sentence(record.expected)}"
    if record.explanation:
        yield f"{'':14}{sentence(record.explanation)}"
        yield f"{'':14}{sentence(record.sentence)}"
    if record.outcome in (FAIL, ERROR) and record.command:
        yield f"{'':14}{escaped(record.command, SENTENCE)}"


def _plain(record: Record) -> dict[str, Any]:
    """A record as plain data; a decision says whether it applies only where it does not."""
    data = asdict(record)
    for decision in data["decisions"]:
        if decision["applies"]:
            del decision["applies"]
    return data


def _properties(case: ElementTree.Element, record: Record) -> None:
    properties = ElementTree.SubElement(case, "properties")
    facts: dict[str, Any] = {"seed": record.seed, "n": record.n, "scale": record.scale}
    facts |= {"expected": record.expected} if record.expected else {}
    facts |= {f"p.{item.test}": item.p for item in record.decisions}
    for name, value in facts.items():
        ElementTree.SubElement(
            properties, "property", name=escaped(name, NAME), value=sentence(value)
        )


def _mark(outcomes: Iterable[str]) -> str:
    counts = Counter(outcomes)
    return " ".join(
        GLYPHS[outcome] + (f"×{counts[outcome]}" if counts[outcome] > 1 else "")
        for outcome in OUTCOMES
        if counts[outcome]
    )


def _code(text: str) -> str:
    """A text as code in a table of Markdown."""
    line = escaped(text, NAME)
    if not set("|`") & set(line):
        return f"`{line}`"
    entities = re.sub(r"[^\w\s]", lambda char: f"&#{ord(char[0])};", line)
    return f"<code>{entities}</code>"


def _unmarked(text: str) -> str:
    """A text in Markdown in which nothing is a tag, code or a link."""
    return text.replace("<", "&lt;").replace("`", "&#96;").replace("](", "]&#40;")
