"""The known answers of the portable stream, which every implementation gives, put to an adapter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ... import plugins
from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..finding import Finding, certain


@lru_cache(maxsize=1)
def known_answers() -> dict[str, list[dict[str, Any]]]:
    """The answers that every implementation of the stream gives, by function."""
    path = Path(__file__).parents[1] / "cases" / "known_answer.json"
    answers: dict[str, list[dict[str, Any]]] = {}
    for case in json.loads(path.read_text("utf-8"))["cases"]:
        answers.setdefault(case["function"], []).append(case["answer"])
    return answers


@lru_cache(maxsize=32)
def known(name: str) -> Finding:
    """Keys, words and tensors of a backend are those of the known answers."""
    maker, answers = plugins.backend(name), known_answers()
    problems: list[str] = []

    for case in (*answers["seed_to_key"], *answers["fold_name"]):
        if _key(maker, case["seed"], case.get("name")) != [int(word, 16) for word in case["key"]]:
            problems.append(f"the key of {case['seed']} and {case.get('name')!r}")
    for case in answers["bits"]:
        seed = int(case["key"][0], 16) << 32 | int(case["key"][1], 16)
        for index, bits in zip(case["index"], case["bits"], strict=True):
            high, low = divmod(int(index), 2**32)
            window = (slice(high, high + 1), slice(low, low + 1))
            word = maker.words(maker.key(seed), (2**32, 2**32), layout="io", window=window)
            if int(np.asarray(maker.tohost(word)).reshape(())) & 0xFFFFFFFF != int(bits, 16):
                problems.append(f"the word at {index} of the seed {seed}")
    for case in answers["tensor"]:
        problems += _tensors(maker, case)
    return certain("known", len(problems), f"wrong: {', '.join(problems[:3])}")


def _key(maker: Any, seed: int, name: str | None) -> list[int]:
    return [int(np.asarray(word)) & 0xFFFFFFFF for word in maker.key(seed, name)]


def _tensors(maker: Any, case: dict[str, Any]) -> Iterator[str]:
    size = case["parameter"]
    if "uniform" in case["scheme"]:
        law: Distribution = Uniform(-size, size)
    elif "untruncated" in case["scheme"]:
        law = Normal(0.0, size)
    else:
        law = TruncatedNormal(0.0, size, -2.0, 2.0)
    shapes = {"io": (case["fan_in"], case["fan_out"]), "oi": (case["fan_out"], case["fan_in"])}
    key = maker.key(case["seed"], case["name"])
    for field, dtype, layout in (
        ("float32_row_major_io", "float32", "io"),
        ("float32_row_major_oi", "float32", "oi"),
        ("bfloat16_io", "bfloat16", "io"),
        ("float16_io", "float16", "io"),
    ):
        drawn = maker.sample(law, shapes[layout], key=key, layout=layout, dtype=dtype)
        bits = np.ascontiguousarray(maker.tohost(drawn)).view(f"u{4 if dtype == 'float32' else 2}")
        if bits.reshape(-1).tolist() != [int(text, 16) for text in case[field]]:
            yield f"{case['scheme']} in {dtype} '{layout}', seed {case['seed']}"
