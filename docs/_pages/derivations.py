"""Where a scheme comes from, in three lines: ``derivations.toml``, with the scheme's numbers."""

from __future__ import annotations

import math
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from initspec.readings.entry import Entry
from initspec.spec import truncation
from initspec.spec.fan_rules import Fans
from initspec.spec.scheme import Scheme

from .examples import example


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("derivations.toml").read_text("utf-8"))


def derivation(entry: Entry) -> str:
    """A numbered list of three lines."""
    scheme, texts = entry.make(), _texts()
    if entry.name in texts["own"]:
        lines = texts["own"][entry.name]
    elif scheme.mode is None:
        lines = texts["distribution"][scheme.distribution]
    else:
        behind = f"{scheme.mode} {scheme.nonlinearity}" if scheme.nonlinearity else scheme.mode
        lines = [
            texts["question"][scheme.mode],
            texts["answer"][behind],
            texts["law"][scheme.distribution],
        ]
    words = _words(scheme)
    return "\n".join(f"{i}. {_filled(line, words)}" for i, line in enumerate(lines, 1))


def _filled(line: str, words: dict[str, float]) -> str:
    for word, value in words.items():  # not format(): LaTeX has braces of its own
        line = line.replace(f"{{{word}}}", f"{value:.5g}")
    if left := _WORD.search(line):
        raise KeyError(f"{left[0]} has no number here: {line}")
    return line


_WORD = re.compile(r"(?<![A-Za-z}_^])\{\w+\}")


def _words(scheme: Scheme) -> dict[str, float]:
    law = scheme.on(*example(scheme))
    scheme = scheme.at(Fans(1.0, 1.0))
    kept = math.sqrt(truncation.moments(-2, 2)[1])
    words = {"kept": kept, "mass": truncation.mass(-2, 2), "edge": 2 / kept, "root": math.sqrt(3)}
    words |= {"std": law.std, "parent": scheme.std, "sparsity": scheme.sparsity}
    words |= {"low": scheme.low, "high": scheme.high}
    if scheme.low is not None and scheme.high is not None:
        words["range"] = scheme.high - scheme.low
    if law.variance:
        words["width"] = 1 / law.variance
    return {word: value for word, value in words.items() if value is not None}
