"""What the suite finds: decisions, records of cells, and the report of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from xml.etree import ElementTree

from ...spec.serial import printable

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
    """One test's finding on one cell.

    ``p`` is a bound on the chance of a value so extreme under the null hypothesis; an exact test
    has 0 or 1. ``detectable`` is the least discrepancy that this test shows at this ``n``, in
    ``unit``, but for a chance of ``beta``. Without ``applies`` the test could not be put to the
    target.
    """

    test: str
    verdict: str
    p: float
    alpha: float
    statistic: float = 0.0
    n: int = 0
    detectable: float | None = None
    unit: str = ""
    note: str = ""
    applies: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What a sample, or a law, is about: None where there is no spread to speak of a shape."""

    mean: float
    std: float
    skewness: float | None
    kurtosis: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The values of a cell beside its law, as far as an eye can see.

    ``counts`` are the values of each bin and ``expected`` the law's probabilities of the same: the
    first lies below ``low``, the last above ``high``, the others share what is between evenly. Both
    are empty where all values are one. ``kurtosis`` is the excess.
    """

    low: float
    high: float
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    measured: Moments
    law: Moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The verdict on one cell, with the decisions behind it.

    ``expected`` is the reason why a FAIL is known: see :mod:`initspec.conformance.deviations`.
    ``picture`` is there where values were drawn to be looked at.
    """

    cell: str
    target: str
    scheme: str
    shape: tuple[int, ...] = ()
    layout: str | None = None
    dtype: str = "float32"
    tier: str = "stat"
    verdict: str = SKIP
    sentence: str = ""
    seed: int = 0
    n: int = 0
    scale: tuple[float, float, float] | None = None
    explanation: str = ""
    seconds: float = 0.0
    decisions: tuple[Decision, ...] = ()
    expected: str = ""
    picture: Picture | None = None

    @property
    def outcome(self) -> str:
        """The verdict as it counts: :data:`EXPECTED` for a known FAIL."""
        return EXPECTED if self.expected else self.verdict

    @property
    def failed(self) -> tuple[Decision, ...]:
        """The decisions that refuse."""
        return tuple(item for item in self.decisions if item.verdict in (FAIL, ERROR))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All records of a run, with its error budget."""

    records: tuple[Record, ...]
    alpha: float
    beta: float
    seed: str
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many cells have each outcome."""
        found = Counter(record.outcome for record in self.records)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    @property
    def verdict(self) -> str:
        """The worst verdict; :data:`SKIP` if nothing was tested. What is expected is no fault."""
        counts = self.counts
        for verdict in (FAIL, ERROR, INCONCLUSIVE):
            if counts[verdict]:
                return verdict
        return PASS if counts[PASS] or counts[EXPECTED] else SKIP

    @property
    def conforms(self) -> bool:
        """Whether everything tested passed, and something was."""
        return self.verdict == PASS

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 does not, 3 nothing could be tested."""
        return {PASS: 0, SKIP: 3}.get(self.verdict, 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in the JSON report."""
        return {
            "format": "initspec.report/1",
            "verdict": self.verdict,
            "counts": self.counts,
            "alpha": self.alpha,
            "beta": self.beta,
            "seed": self.seed,
            "versions": dict(self.versions),
            "records": [_plain(record) for record in self.records],
        }

    def to_json(self) -> str:
        """The report as one JSON document, with a line for each record: there may be thousands."""
        plain = printable(self.to_dict())
        records = [json.dumps(record, ensure_ascii=False) for record in plain.pop("records")]
        head = json.dumps(plain, indent=1, ensure_ascii=False).removesuffix("\n}")
        text = ",\n  ".join(records)
        return f'{head},\n "records": [\n  {text}\n ]\n}}\n'

    def lines(self, verbose: bool = False) -> list[str]:
        """The report as text: every cell that does not pass, and the counts."""
        found = []
        for record in self.records:
            if record.verdict != PASS or verbose:
                sentence = " ".join(record.sentence.split())  # of somebody's exception, perhaps
                found.append(f"{record.outcome:12}  {record.cell}  {sentence}".rstrip())
                if record.expected:
                    found.append(f"{'':14}known: {record.expected}")
                if record.explanation:
                    found.append(f"{'':14}{record.explanation}")
        counts = ", ".join(f"{count} {word}" for word, count in self.counts.items() if count)
        found.append(
            f"{self.verdict}: {counts or 'no cells'}. A run of right initializers is refused at "
            f"most once in {1 / self.alpha:.0e} runs; seeds {self.seed}."
        )
        return found

    def to_markdown(self) -> str:
        """A matrix of targets and dtypes for a job summary, and what did not pass."""
        dtypes = list(dict.fromkeys(record.dtype for record in self.records))
        rows: dict[tuple[str, str], dict[str, list[str]]] = {}
        for record in self.records:
            cells = rows.setdefault((record.target, record.scheme), {})
            cells.setdefault(record.dtype, []).append(record.outcome)
        text = [
            f"### initspec: {self.verdict}",
            "",
            "| target | scheme | " + " | ".join(dtypes) + " |",
            "|---|---|" + "---|" * len(dtypes),
        ]
        for (target, scheme), cells in rows.items():
            marks = [_mark(cells.get(dtype, [])) for dtype in dtypes]
            text.append(f"| `{target}` | `{scheme}` | " + " | ".join(marks) + " |")
        text += ["", *(f"- {line}" for line in self.lines())]
        return "\n".join(text) + "\n"

    def to_junit(self) -> str:
        """The report as JUnit's XML, a test case for each cell."""
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
                classname=record.target,
                name=record.cell,
                time=f"{record.seconds:.3f}",
            )
            _properties(case, record)
            if record.outcome in tags:
                message = f"{record.outcome}: {record.sentence} {record.explanation}".strip()
                ElementTree.SubElement(case, tags[record.outcome], message=_printable(message))
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def _plain(record: Record) -> dict[str, Any]:
    """A record as plain data; a decision says whether it applies only where it does not."""
    data = asdict(record)
    for decision in data["decisions"]:
        if decision["applies"]:
            del decision["applies"]
    return data


def _properties(case: ElementTree.Element, record: Record) -> None:
    held = ElementTree.SubElement(case, "properties")
    facts: dict[str, Any] = {"seed": record.seed, "n": record.n, "scale": record.scale}
    facts |= {"expected": record.expected} if record.expected else {}
    facts |= {f"p.{item.test}": item.p for item in record.decisions}
    for name, value in facts.items():
        ElementTree.SubElement(held, "property", name=name, value=str(value))


def _mark(verdicts: Iterable[str]) -> str:
    found = Counter(verdicts)
    return " ".join(
        GLYPHS[verdict] + (f"×{found[verdict]}" if found[verdict] > 1 else "")
        for verdict in OUTCOMES
        if found[verdict]
    )


def _printable(text: str) -> str:
    """XML has no control characters."""
    return "".join(char if char.isprintable() else " " for char in text)
