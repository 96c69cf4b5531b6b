"""The cases as data: files of JSON under ``cases/`` that any language can read and run.

What follows from ``schemes.toml``, ``layouts.toml`` and the stream is generated:
``python -m initspec.conformance.case_files --write`` writes it and ``--check`` says whether it is
fresh. Each file has one kind of case and conforms to ``case-file.schema.json``:

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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from .. import errors, stream
from ..backends import _host
from ..distribution import Distribution, TruncatedNormal
from ..draw import truncated_normal
from ..errors import InitSpecError, LayoutError
from ..layout import ROLES, Layout, Shape, fans, layers
from ..registry import get, references, schemes
from ..scheme import Scheme
from .design import SHAPES
from .suite import DTYPES, SPECIAL

FORMAT = 1
FOLDER = Path(__file__).with_name("cases")
SCHEMA = "case-file.schema.json"
KINDS = ("spec", "layer", "known_answer", "adversarial", "negative", "duplicate", "mutant")
GENERATED = ("spec", "layer", "known_answer", "adversarial")

Body = Mapping[str, Any]

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


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its kind, its name, a sentence, and the rest as plain data."""

    kind: str
    id: str
    description: str
    body: Body


def read_all() -> tuple[Case, ...]:
    """Every case of every file.

    >>> sorted({case.kind for case in read_all()}) == sorted(KINDS)
    True
    """
    return tuple(case for kind in KINDS for case in read(kind))


@cache
def read(kind: str) -> tuple[Case, ...]:
    """The cases of one kind."""
    document = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    found = []
    for item in document["cases"]:
        rest = {key: value for key, value in item.items() if key not in ("id", "description")}
        found.append(Case(kind, item["id"], item["description"], rest))
    return tuple(found)


def problem(case: Case) -> str | None:
    """What the spec says otherwise than the case, or None."""
    if case.kind == "mutant":
        from .mutants import differences

        return differences(case.body, case.id)
    return _RUNNERS[case.kind](case.body)


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


def text(kind: str, cases: list[dict[str, Any]]) -> str:
    """A case file's text: one line for each case, so that changes can be read."""
    head = {"$schema": SCHEMA, "format": FORMAT, "kind": kind}
    opening = json.dumps(head, ensure_ascii=False)[:-1]
    rows = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    return f'{opening}, "cases": [\n{rows}\n]}}\n'


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
        "expect": _expect(scheme, scheme.on(shape, layout), shape, layout),
    }


def tensor(shape: Shape, layout: Layout) -> dict[str, Any]:
    """A tensor's layout, in words and numbers."""
    return {
        "layout": str(layout),
        "axes": [ROLES[letter] for letter in layout.axes],
        "shape": list(shape),
        "groups": layout.groups,
        "stack": layout.stack,
        "transposed": layout.transposed,
    }


def _expect(scheme: Scheme, law: Distribution, shape: Shape, layout: Layout) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        count = fans(shape, layout, scheme.fans)
        found |= {"fan_in": count.fan_in, "fan_out": count.fan_out}
    except LayoutError:
        pass
    found |= {"mean": law.mean.hex(), "std": law.std.hex()}
    if isinstance(law, TruncatedNormal):
        found["parent_std"] = law.sigma.hex()
    found["support"] = [end.hex() if math.isfinite(end) else None for end in law.support]
    return found


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


_REPOSITORY = Path(__file__).resolve().parents[1]


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


# ------------------------------------------------------------------------------------------ running


def _differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    wrong = [
        f"{key}: the case says {value!r}, the spec {found.get(key)!r}"
        for key, value in expected.items()
        if found.get(key) != value
    ]
    return "; ".join(wrong) or None


def _run_spec(body: Body) -> str | None:
    scheme, wanted = get(body["scheme"]), body["tensor"]
    shape, layout = tuple(wanted["shape"]), Layout.parse(wanted["layout"])
    law = scheme.on(shape, layout)
    return _differences(
        {**body["expect"], "tensor": wanted},
        {**_expect(scheme, law, shape, layout), "tensor": tensor(shape, layout)},
    )


def _run_layer(body: Body) -> str | None:
    shape, layout = tuple(body["tensor"]["shape"]), Layout.parse(body["tensor"]["layout"])
    found = {rule: fans(shape, layout, rule)._asdict() for rule in ("true", "naive")}
    return _differences({rule: body[rule] for rule in found}, found)


def _run_adversarial(body: Body) -> str | None:
    words = np.array([int(word, 16) for word in body["words"]], np.uint32)
    law = get(body["scheme"]).on((1,), "o")
    values = stream.values(words, law.draw)
    numbers = values.astype(np.float64)
    low, high = law.support
    unit = float(np.spacing(np.float32(high))) if math.isfinite(high) else 0.0
    if not np.isfinite(numbers).all():
        return "a word makes a number that is not finite"
    if ((numbers < low - unit) | (numbers > high + unit)).any():
        return f"a word leaves the support {law.support}"
    if (np.diff(numbers) < 0).any():
        return "a greater word makes a smaller number"
    return _differences(
        {key: body[key] for key in ("integers", "float32")},
        {
            "integers": stream.integer(words, law.draw).tolist(),
            "float32": [f"{bits:08x}" for bits in values.view(np.uint32).tolist()],
        },
    )


def _run_negative(body: Body) -> str | None:
    wanted = getattr(errors, body["error"])
    try:
        scheme = get(body["scheme"])
        if "shape" in body:
            law = scheme.on(tuple(body["shape"]), body.get("layout"))
            _ = law.draw if body.get("drawn") else None
        if "seed" in body:
            stream.key_from_seed(body["seed"])
    except InitSpecError as error:
        if not isinstance(error, wanted):
            return f"raises {type(error).__name__}, not {body['error']}: {error}"
        return None if body["says"] in str(error) else f"{error} does not say {body['says']!r}"
    return f"raises nothing; {body['error']} was expected"


def _run_duplicate(body: Body) -> str | None:
    first, second = (
        _tensor_of(body["scheme"], body["shape"], body[side]) for side in ("first", "second")
    )
    n = min(first.size, second.size)
    share = float(np.mean(first.ravel()[:n] == second.ravel()[:n]))
    if body["equal"]:
        return None if share == 1 else f"only {share:.0%} of the values agree"
    return None if share < 0.5 else f"{share:.0%} of the values agree"


def _tensor_of(scheme: Any, shape: list[int], source: Body) -> Any:
    seed = source["seed"]
    return get(scheme).numpy(
        source.get("shape", shape),
        seed=int(seed, 16) if isinstance(seed, str) else seed,
        name=source.get("name"),
        layout=source.get("layout"),
    )


def _numbers(texts: list[str], base: int = 16) -> list[int]:
    return [int(text, base) for text in texts]


def _key(texts: list[str]) -> stream.Key:
    high, low = _numbers(texts)
    return high, low


def _hex(numbers: Any) -> list[str]:
    return [f"{int(number):08x}" for number in numbers]


def _run_known(body: Body) -> str | None:
    row, function = body["answer"], body["function"]
    return _differences(row, {**row, **_KNOWN[function](row)})


def _threefry(row: Body) -> dict[str, Any]:
    out = stream.threefry2x32(_key(row["key"]), *_numbers(row["counter"]))
    return {"out": _hex(out)}


def _uniform_integer(row: Body) -> dict[str, Any]:
    return {"k": stream.uniform_integer(np.array(_numbers(row["bits"]), np.uint32)).tolist()}


def _normal_integer(row: Body) -> dict[str, Any]:
    return {"z": stream.normal_integer(np.array(_numbers(row["bits"]), np.uint32)).tolist()}


def _truncated_integer(row: Body) -> dict[str, Any]:
    draw = truncated_normal(0.0, 1.0, row["a"], row["b"])
    found = stream.integer(np.array(_numbers(row["bits"]), np.uint32), draw).tolist()
    return {"A": draw.first, "B": draw.count, "z": found}


def _words(row: Body) -> dict[str, Any]:
    index = np.array(_numbers(row["index"], 10), np.uint64)
    return {"bits": _hex(stream.words(_key(row["key"]), index))}


def _fold_name(row: Body) -> dict[str, Any]:
    return {
        "key": _hex(stream.fold_name(stream.key_from_seed(row["seed"]), row["name"])),
        "blake2b_8": "".join(_hex(stream.name_hash(row["name"]))),
    }


_LAWS = {
    "he normal, untruncated": "he_normal@torch",
    "he normal, truncated at two parent standard deviations, variance corrected": "he_normal",
    "he uniform": "he_uniform",
}


def _whole(row: Body) -> dict[str, Any]:
    """A small tensor in both orders and in three types."""
    scheme, shape = get(_LAWS[row["scheme"]]), (row["fan_in"], row["fan_out"])
    key = stream.fold_name(stream.key_from_seed(row["seed"]), row["name"])

    def bits(dtype: str, layout: str) -> list[str]:
        sizes = shape if layout == "io" else shape[::-1]
        axes = Layout.parse(layout)
        found = _host.array(scheme.on(sizes, axes), sizes, key=key, layout=axes, dtype=dtype)
        wide = dtype == "float32"
        raw = found.view(np.uint32 if wide else np.uint16)
        return [f"{value:0{8 if wide else 4}x}" for value in raw.ravel().tolist()]

    law = scheme.on(shape, "io")
    parameter = {"normal": "sigma", "truncated_normal": "sigma", "uniform": "high"}[law.kind]
    close = math.isclose(getattr(law, parameter), row["parameter"], rel_tol=1e-15)
    return {
        "parameter": row["parameter"] if close else getattr(law, parameter),
        "key": _hex(key),
        "float32_row_major_io": bits("float32", "io"),
        "float32_row_major_oi": bits("float32", "oi"),
        "bfloat16_io": bits("bfloat16", "io"),
        "float16_io": bits("float16", "io"),
    }


def _digest(row: Body) -> dict[str, Any]:
    name = {"normal": "he_normal@torch", "truncated_normal": "he_normal", "uniform": "he_uniform"}
    values = get(name[row["law"]]).numpy(row["shape_io"], seed=row["seed"], name=row["name"])
    return {"sha256_float32_little_endian": sha256(values.astype("<f4").tobytes()).hexdigest()}


_KNOWN = {
    "threefry2x32_20": _threefry,
    "seed_to_key": lambda row: {"key": _hex(stream.key_from_seed(row["seed"]))},
    "fold_in": lambda row: {"out": _hex(stream.fold_in(_key(row["key"]), int(row["data"], 16)))},
    "fold_name": _fold_name,
    "bits": _words,
    "uniform_integer": _uniform_integer,
    "normal_q28": _normal_integer,
    "truncated_q28": _truncated_integer,
    "tensor": _whole,
    "digests": _digest,
}


_RUNNERS = {
    "spec": _run_spec,
    "layer": _run_layer,
    "known_answer": _run_known,
    "adversarial": _run_adversarial,
    "negative": _run_negative,
    "duplicate": _run_duplicate,
}


def main(arguments: list[str]) -> int:
    """``--write`` the generated files, or ``--check`` whether they are fresh."""
    if arguments == ["--write"]:
        for kind in GENERATED:
            (FOLDER / f"{kind}.json").write_text(text(kind, generated(kind)), "utf-8")
        return 0
    if arguments == ["--check"]:
        found = stale()
        if found:
            print(f"not what the spec says now: {', '.join(found)}. Run it with --write.")
        return int(bool(found))
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
