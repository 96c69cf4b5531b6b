"""The cases as data: files of JSON under ``cases/`` that any language can read and run.

What follows from ``schemes.toml``, the tables of layers and the stream is generated:
``python -m initspec.conformance.cases.generate --write`` writes it and ``--check`` says whether it
is fresh. Each file has one kind of case and conforms to ``case-file.schema.json``:

``spec``          a scheme on a tensor: fans, moments, support
``layer``         a framework's layer: its true fans and those that the framework counts
``known_answer``  a function of the stream, its arguments and its result
``adversarial``   extreme words, and the numbers that a law makes of them
``negative``      what must be refused, and a piece of the sentence that says why
``duplicate``     two sources of randomness whose tensors are equal, or are not
``mutant``        a sampler with a fault, and the tests that must refuse it

Reals that must be exact are C99 hex floats in strings.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ... import stream
from ...readings.registry import get, references, schemes
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, fans, layers
from ...spec.scheme import Scheme
from ...stream.dtypes import DTYPES
from ..design import SHAPES
from ..suite import SPECIAL
from .files import FOLDER, tensor, text
from .run import expect

GENERATED = ("spec", "layer", "known_answer", "adversarial")

#: A tensor with groups, on which dialects that do not divide by them differ.
GROUPED: tuple[Shape, str] = ((48, 4, 3, 3), "oihw, groups=4")

#: What no scheme has unless it is asked for: other modes, gains, bounds and means.
ARGUED = (
    "he_normal(mode='FAN_OUT')",
    "he_uniform(nonlinearity='leaky_relu', slope=0.2)",
    "glorot_normal(gain=2.0)",
    "variance_scaling(mode='FAN_GEO_AVG')",
    "variance_scaling(mode='FAN_AVG', distribution='uniform')",
    "variance_scaling(nonlinearity='tanh', distribution='normal')",
    "variance_scaling(nonlinearity='selu')",
    "variance_scaling(factor=2.0, bias_unit=True)",
    "variance_scaling(factor=2.0, power=2.0, mode='FAN_OUT')",
    "variance_scaling(power=0.5, mode='FAN_AVG', distribution='uniform')",
    "variance_scaling(nonlinearity='gelu')",
    "variance_scaling(nonlinearity='silu', distribution='normal', gain=0.5)",
    "he_uniform(nonlinearity='tanh_exact')",
    "siren(omega=10.0)",
    "mup_readout(gain=0.5, mode='FAN_OUT')",
    "normal(std='0.02 * (2 * 12)^-0.5')",
    "normal(std='min(1, sqrt(fan_out * fan_in^-1)) * fan_in^-0.5')",
    "uniform(low='-fan_avg^-1', high='fan_avg^-1')",
    "normal(std=0.02, gain=0.5)",
    "uniform(low=-0.1, high=0.1, gain=0.5)",
    "truncated_normal(std=0.02, gain=2.0)",
    "constant(value=2.0, gain=0.25)",
    "truncated_normal(std=0.02, unit='absolute', low=-0.03, high=0.05)",
    "truncated_normal(std=0.02, unit='result', variance='corrected')",
    "truncated_normal(std=0.02, variance=1.3)",
    "truncated_normal(std=1.0, mean=3.0, low=1.0, high=4.0)",
    "normal(mean=0.5, std=0.1)",
    "orthogonal(gain=1.5)",
    "sparse(sparsity=0.26, std=0.1)",
    "sparse(sparsity=0.26, std=0.1, zeros_per='in')",
)

WORDS = sorted(
    {0, 1, 2, 3, 2**32 - 2, 2**32 - 1}
    | {2**k + d for k in (8, 9, 16, 24, 29, 30, 31) for d in (-1, 0, 1)}
    | {2**32 - 2**k for k in (8, 16, 24)}
)


# --------------------------------------------------------------------------------------- generation


def generated(kind: str) -> list[dict[str, Any]]:
    """The cases of a kind that follow from the spec."""
    makers = {
        "spec": _spec_cases,
        "layer": _layer_cases,
        "known_answer": _known_answers,
        "adversarial": _adversarial_cases,
    }
    return list(makers[kind]())


def stale() -> list[str]:
    """The generated files that are not what the spec says now."""
    return [
        f"{kind}.json"
        for kind in GENERATED
        if not (FOLDER / f"{kind}.json").exists()
        or (FOLDER / f"{kind}.json").read_text("utf-8") != text(kind, generated(kind))
    ]


def _spec_cases() -> Iterator[dict[str, Any]]:
    for name in (*schemes, *ARGUED):
        entry, scheme = schemes[name.partition("(")[0]], get(name)
        usual = SHAPES if not scheme.needs_fans else (*SHAPES, GROUPED)
        for shape, axes in SPECIAL.get(scheme.distribution, usual):
            yield {
                **_spec_case(name, scheme, shape, axes),
                "description": f"{entry.title}: {scheme.formula}",
                "source": [references()[key]["text"] for key in entry.references],
            }
    yield _spec_case("array", get([[1.0, 2.0, -0.5], [3.0, 4.0, 0.25]]), (2, 3), "io")


def _spec_case(name: str, scheme: Scheme, shape: Shape, axes: str) -> dict[str, Any]:
    layout = Layout.parse(axes)
    return {
        "id": f"{name}/{'x'.join(map(str, shape))}/{axes.replace(', ', '/')}",
        "description": scheme.formula,
        "source": [],
        "scheme": {k: v for k, v in scheme.to_dict().items() if k not in ("spec", "name")},
        "tensor": tensor(shape, layout),
        "dtypes": list(DTYPES),
        "expect": expect(scheme, scheme.on(shape, layout), shape, layout),
    }


#: Sizes that make every role's part in a fan visible, and that groups and stacks divide.
_SIZES = {"i": 12, "o": 24, "d": 2, "h": 3, "w": 5, "x": 5, "g": 7, "n": 4, "b": 6, "v": 100}


def _layer_cases() -> Iterator[dict[str, Any]]:
    for name, layout in layers().items():
        variants = [name]
        if "Conv" in name and layout.stack == 1 and "g" not in layout.axes:
            variants.append(f"{name}, groups=4")
        for variant in variants:
            axes = Layout.parse(variant)
            shape = tuple(_SIZES[letter] for letter in axes.axes)
            true, naive = fans(shape, axes), fans(shape, axes, "naive")
            yield {
                "id": variant.replace(", ", "/"),
                "description": f"the weight of {name} as its framework stores it",
                "tensor": tensor(shape, axes),
                "true": {"fan_in": true.fan_in, "fan_out": true.fan_out},
                "naive": {"fan_in": naive.fan_in, "fan_out": naive.fan_out},
            }


_REPOSITORY = Path(__file__).resolve().parents[2]


def _known_answers() -> Iterator[dict[str, Any]]:
    """From the file that the stream's definition came with; outside the repository as stored."""
    source = _REPOSITORY / "tests" / "data" / "known_answers.json"
    if not source.exists():
        document = json.loads((FOLDER / "known_answer.json").read_text("utf-8"))
        yield from document["cases"]
        return
    data = json.loads(source.read_text("utf-8"))
    shown = {
        "threefry2x32_20": "Threefry-2x32 with 20 rounds",
        "seed_to_key": "the key of a seed",
        "fold_in": "a number folded into a key",
        "fold_name": "a name folded into a seed's key",
        "bits": "the words at 64-bit indices",
        "uniform_integer": "the integers of a uniform law",
        "normal_q28": "the integers of a normal law",
        "truncated_q28": "the integers of a truncated normal law",
        "cases": "whole tensors",
        "digests": "the SHA-256 of a whole tensor",
    }
    for function, sentence in shown.items():
        rows = data[function] if isinstance(data[function], list) else [data[function]]
        for place, row in enumerate(rows):
            name = "tensor" if function == "cases" else function
            yield {
                "id": f"{name}/{place}",
                "description": f"{sentence}, stream {data['stream']}",
                "function": name,
                "answer": row,
            }


_ADVERSARIES = (
    ("uniform", {"distribution": "uniform", "low": -1.0, "high": 1.0}),
    ("uniform-shifted", {"distribution": "uniform", "low": 2.0, "high": 3.0}),
    ("normal", {"distribution": "normal", "std": 1.0}),
    ("truncated", {"distribution": "truncated_normal", "std": 1.0, "truncation": "parent"}),
    ("truncated-small", {"distribution": "truncated_normal", "std": 0.001, "truncation": "wide"}),
    ("truncated-tail", {"distribution": "truncated_normal", "std": 1.0, "truncation": "tail"}),
)
_TRUNCATIONS = {
    "parent": {"low": -2.0, "high": 2.0, "unit": "parent", "variance": "uncorrected"},
    "wide": {"low": -2.0, "high": 2.0, "unit": "absolute", "variance": "uncorrected"},
    "tail": {"low": 2.0, "high": 3.0, "unit": "parent", "variance": "uncorrected"},
}


def _adversarial_cases() -> Iterator[dict[str, Any]]:
    words = np.array(WORDS, np.uint32)
    for name, fields in _ADVERSARIES:
        row: dict[str, Any] = dict(fields)
        if "truncation" in row:
            row["truncation"] = _TRUNCATIONS[row["truncation"]]
        law = get(row).on((1,), "o")
        values = stream.values(words, law.draw)
        yield {
            "id": name,
            "description": f"{get(row).formula}: its words near the ends and the middle",
            "scheme": row,
            "words": [f"{word:08x}" for word in WORDS],
            "integers": stream.integer(words, law.draw).tolist(),
            "float32": [f"{bits:08x}" for bits in values.view(np.uint32).tolist()],
            "support": [end.hex() if math.isfinite(end) else None for end in law.support],
        }


def main(arguments: list[str]) -> int:
    """``--write`` the generated files, or ``--check`` whether they are fresh."""
    if arguments == ["--write"]:
        for kind in GENERATED:
            (FOLDER / f"{kind}.json").write_text(text(kind, generated(kind)), "utf-8")
        return 0
    if arguments == ["--check"]:
        outdated = stale()
        if outdated:
            print(f"not what the spec says now: {', '.join(outdated)}. Run it with --write.")
        return int(bool(outdated))
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
