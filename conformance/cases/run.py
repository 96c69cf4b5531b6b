"""Running a case: what it expects is held against what the spec and the stream answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from ... import errors, stream
from ...backends.chance import silence
from ...backends.cpu import laws as host_laws
from ...errors import InitSpecError, LayoutError
from ...readings.registry import get
from ...spec.distribution import Distribution, TruncatedNormal
from ...spec.fan_rules import Shape
from ...spec.integer_form import truncated_normal
from ...spec.layout import Layout, fans
from ...spec.scheme import Scheme
from .files import Body, Case, tensor


@silence()  # one seed draws many tensors here, on purpose
def problem(case: Case) -> str | None:
    """What the spec says otherwise than the case, or None."""
    if case.kind == "mutant":
        from ..mutants.registry import differences

        return differences(case.body, case.id)
    return _RUNNERS[case.kind](case.body)


def expect(scheme: Scheme, law: Distribution, shape: Shape, layout: Layout) -> dict[str, Any]:
    """What a case of kind ``spec`` holds of a scheme on a tensor: fans, moments and support."""
    facts: dict[str, Any] = {}
    try:
        count = fans(shape, layout, scheme.fans)
        facts |= {"fan_in": count.fan_in, "fan_out": count.fan_out}
    except LayoutError:
        pass
    facts |= {"mean": law.mean.hex(), "std": law.std.hex()}
    if isinstance(law, TruncatedNormal):
        facts["parent_std"] = law.sigma.hex()
    facts["support"] = [end.hex() if math.isfinite(end) else None for end in law.support]
    return facts


# ------------------------------------------------------------------------------------------ running


def _differences(expected: Mapping[str, Any], answer: Mapping[str, Any]) -> str | None:
    wrong = [
        f"{key}: the case says {value!r}, the spec {answer.get(key)!r}"
        for key, value in expected.items()
        if answer.get(key) != value
    ]
    return "; ".join(wrong) or None


def _run_spec(body: Body) -> str | None:
    scheme, wanted = get(body["scheme"]), body["tensor"]
    shape, layout = tuple(wanted["shape"]), Layout.parse(wanted["layout"])
    law = scheme.on(shape, layout)
    return _differences(
        {**body["expect"], "tensor": wanted},
        {**expect(scheme, law, shape, layout), "tensor": tensor(shape, layout)},
    )


def _run_layer(body: Body) -> str | None:
    shape, layout = tuple(body["tensor"]["shape"]), Layout.parse(body["tensor"]["layout"])
    counts = {rule: fans(shape, layout, rule)._asdict() for rule in ("true", "naive")}
    return _differences({rule: body[rule] for rule in counts}, counts)


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
    integers = stream.integer(np.array(_numbers(row["bits"]), np.uint32), draw).tolist()
    return {"A": draw.first, "B": draw.count, "z": integers}


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
        values = host_laws.array(scheme.on(sizes, axes), sizes, key=key, layout=axes, dtype=dtype)
        wide = dtype == "float32"
        raw = values.view(np.uint32 if wide else np.uint16)
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
