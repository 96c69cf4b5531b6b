"""What each parameter of a model gets, with numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UnknownName
from ..plain_text import escaped
from ..public import public
from ..spec.distribution import Distribution
from ..spec.fan_rules import Fans
from ..spec.layout import Layout
from ..spec.scheme import Scheme
from ..spec.serial import printable
from .parameter import ModelParameter

#: A number in a name, as Python writes it: ``07`` stays a text, and so does what is very long.
_NUMBER = re.compile(r"(?<![0-9])(?:0|[1-9][0-9]{0,14})(?![0-9])")
_GAP = "\0"  # no name that is shown holds it


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A parameter, the rule that selects it, and the law that it gets.

    ``number`` counts the rules from one. ``names`` are the names that the law used, with their
    numbers. ``scheme`` has numbers only, and ``law`` is its law on the parameter's shape and
    ``layout``, which is ``assumed`` where no table and no rule says it. A parameter that others
    fill has a ``given`` text in their place. ``tied`` are further names of the same tensor, and
    ``digest`` is the SHA-256 of its values once it is written.

    >>> from initspec import Plan, Rule
    >>> plan = Plan(name="p", rules=(Rule(match="**", law="he_normal"),))
    >>> row = plan.on({"w": (8, 3)})["w"]
    >>> row.fans, row.law.std
    (Fans(fan_in=8, fan_out=3), 0.5)
    """

    parameter: ModelParameter
    number: int
    rule: str
    names: Mapping[str, float]
    layout: Layout
    assumed: bool = False
    scheme: Scheme | None = None
    law: Distribution | None = None
    fans: Fans | None = None
    given: str = ""
    tied: tuple[str, ...] = ()
    digest: str = ""

    @property
    def name(self) -> str:
        """The parameter's name, from which its key is made.

        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="zeros"),))
        >>> [row.name for row in plan.on({"params": {"w": (2, 3)}})]
        ['w']
        """
        return self.parameter.name

    @property
    def path(self) -> str:
        """Where the framework, or the file, holds the tensor that the parameter lies in.

        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="zeros"),))
        >>> [row.path for row in plan.on({"params": {"w": (2, 3)}})]
        ['params.w']
        """
        return self.parameter.path or self.parameter.name

    @property
    def words(self) -> str:
        """The law in words, or who fills the parameter.

        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="normal(std=0.02)"),))
        >>> plan.on({"w": (2, 3)})["w"].words
        'normal, std 0.02'
        """
        return f"given: {self.given}" if self.law is None else self.law.words

    def lines(self) -> list[str]:
        r"""Everything about the parameter, a line for each.

        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="he_normal"),))
        >>> print("\n".join(plan.on({"w": (2, 3)})["w"].lines()))
        w
          shape   (2, 3), float32, axes io
          rule    1: match = **
          fans    fan_in 2, fan_out 3
          law     normal cut at -2 and 2 parent stds, std 1
        """
        parameter = self.parameter
        where = (
            f", held as {escaped(parameter.path)}" if parameter.path not in ("", self.name) else ""
        )
        layer = f", in {parameter.kinds[0]}" if parameter.kinds else ""
        axes = f", axes {self.layout}" if parameter.shape else ""
        usual = ", as is usual" if self.assumed else ""
        lines = [
            f"{_shown(self.name)}{where}{layer}",
            f"  shape   {parameter.shape}, {parameter.dtype}{axes}{usual}",
            f"  rule    {self.number}: {self.rule}",
        ]
        if self.names:
            bound = ", ".join(f"{name} = {value:g}" for name, value in self.names.items())
            lines.append(f"  names   {bound}")
        if self.fans is not None:
            lines.append(f"  fans    fan_in {self.fans.fan_in:g}, fan_out {self.fans.fan_out:g}")
        lines.append(f"  law     {self.words}")
        lines += [f"  tied    {', '.join(map(_shown, self.tied))}"] if self.tied else []
        lines += [f"  sha256  {self.digest}"] if self.digest else []
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The row as plain data.

        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="zeros"),))
        >>> plan.on({"w": (2, 3)})["w"].to_dict()["law"]
        {'kind': 'constant', 'words': 'always 0', 'mean': 0.0, 'std': 0.0, 'support': [0.0, 0.0]}
        """
        data: dict[str, Any] = {
            "name": self.name,
            "path": self.path,
            "shape": list(self.parameter.shape),
            "dtype": self.parameter.dtype,
            "layout": str(self.layout),
            "rule": self.number,
            "selector": self.rule,
        }
        if self.assumed:
            data["layout_assumed"] = True
        if self.names:
            data["names"] = dict(self.names)
        if self.fans is not None:
            data["fans"] = {"fan_in": self.fans.fan_in, "fan_out": self.fans.fan_out}
        if self.law is None:
            data["given"] = self.given
        else:
            law = self.law
            data["law"] = {
                "kind": law.kind,
                "words": law.words,
                "mean": law.mean,
                "std": law.std,
                "support": list(law.support),
            }
            if self.scheme is not None and self.scheme.custom is None:
                data["scheme"] = self.scheme.to_dict()
        if self.tied:
            data["tied"] = list(self.tied)
        if self.digest:
            data["sha256"] = self.digest
        return printable(data)  # type: ignore[no-any-return]


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """One row for each parameter of a model, in the model's order.

    ``print(ledger)`` shows parameters of one law together, with the range of their numbers.

    >>> from initspec import Plan, Rule
    >>> plan = Plan(name="tiny", rules=(Rule(match="h.{layer}.w", law="normal(std=0.02)"),))
    >>> print(plan.on({"h.0.w": (4, 8), "h.1.w": (4, 8)}))
    tiny: 2 parameters, 64 values
    parameter  shape   law               rule
    h.{0-1}.w  (4, 8)  normal, std 0.02     1
    """

    plan: str
    rows: tuple[Row, ...]
    symbols: Mapping[str, float]
    seed: int | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if name in (row.name, row.parameter.path, *row.tied):
                return row
        raise UnknownName("parameter", name, (row.name for row in self.rows))

    @property
    def size(self) -> int:
        """The number of values that are drawn or set: tied ones count once, given ones not.

        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="zeros"),))
        >>> plan.on({"w": (2, 3), "b": (3,)}).size
        9
        """
        return sum(row.parameter.size for row in self.rows if row.law is not None)

    def to_dict(self) -> dict[str, Any]:
        """The ledger as plain data, for JSON.

        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="zeros"),))
        >>> list(plan.on({"w": (2, 3)}).to_dict())
        ['plan', 'stream', 'seed', 'symbols', 'parameters']
        """
        from ..versions import STREAM

        return {
            "plan": self.plan,
            "stream": STREAM,
            "seed": self.seed,
            "symbols": dict(self.symbols),
            "parameters": [row.to_dict() for row in self.rows],
        }

    def to_json(self) -> str:
        r"""The ledger as JSON text.

        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="zeros"),))
        >>> plan.on({"w": (2, 3)}).to_json()[:14]
        '{\n "plan": "p"'
        """
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"

    def __str__(self) -> str:
        groups = _grouped(self.rows)
        head = f"{self.plan}: {_count(len(self.rows), 'parameter')}, {self.size:,} values"
        bound = ", ".join(f"{name} = {value:g}" for name, value in self.symbols.items())
        lines = [head + (f"; {bound}" if bound else "")]
        table = [("parameter", "shape", "law", "rule")]
        table += [(name, shape, words, str(number)) for name, shape, words, number in groups]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for name, shape, words, number in table:
            lines.append(
                f"{name:{widths[0]}}  {shape:{widths[1]}}  {words:{widths[2]}}  "
                f"{number:>{widths[3]}}"
            )
        return "\n".join(lines)


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}" + "s" * (n != 1)


def _grouped(rows: tuple[Row, ...]) -> list[tuple[str, str, str, int]]:
    """The rows of one law, shape and rule whose names differ in numbers only, as one line."""
    groups: dict[tuple[str, str, str, int], list[list[int]]] = {}
    for row in rows:
        skeleton, numbers = _parted(row.name)
        shape = str(row.parameter.shape)
        words = row.words + (f"; also {', '.join(map(_shown, row.tied))}" if row.tied else "")
        key = (skeleton, shape, words, row.number)
        groups.setdefault(key, []).append(numbers)
    return [
        (_named(skeleton, numbers), shape, words, number)
        for (skeleton, shape, words, number), numbers in groups.items()
    ]


def grouped_names(names: list[str]) -> list[str]:
    """Names, those that differ in numbers only as one.

    >>> grouped_names(["h.0.w", "h.1.w", "b"])
    ['h.{0-1}.w', 'b']
    """
    groups: dict[str, list[list[int]]] = {}
    for name in names:
        skeleton, numbers = _parted(name)
        groups.setdefault(skeleton, []).append(numbers)
    return [_named(skeleton, numbers) for skeleton, numbers in groups.items()]


def _shown(name: str) -> str:
    return escaped(name) or "''"


def _parted(name: str) -> tuple[str, list[int]]:
    """A name as it is shown with a gap for each number, and the numbers."""
    text = _shown(name)
    return _NUMBER.sub(_GAP, text), [int(number) for number in _NUMBER.findall(text)]


def _named(skeleton: str, numbers: list[list[int]]) -> str:
    parts = skeleton.split(_GAP)
    text = parts[0]
    for at, part in enumerate(parts[1:]):
        text += _range(sorted({row[at] for row in numbers})) + part
    return text


def _range(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return str(numbers[0])
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{{{numbers[0]}-{numbers[-1]}}}"
    shown = ",".join(map(str, numbers[:4]))
    return f"{{{shown}{',...' if len(numbers) > 4 else ''}}}"
