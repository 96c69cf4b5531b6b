"""How fast weights are drawn, ours beside those it replaces, in one process and in turn.

    python tests/benchmarks/speed.py [--quick] [--json] [--size N ...] [--only WORD]

For each size and dtype each contestant runs once a round, one after another, so that a busy moment
hits all of them alike; the median of the rounds counts. Prints million values a second, and the
ratio of ours to each rival. Frameworks that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np

import initspec
from initspec.backends.cpu import fill as cpu_fill
from initspec.backends.cpu import kernel_numpy, threads
from initspec.spec.layout import Layout
from initspec.stream.canonical_order import blocks

Run = Callable[[], object]

NUMPY = cpu_fill.Kernel("numpy", kernel_numpy.fill)


class Contestant(NamedTuple):
    """One way to draw tensors; ``rivals`` are the names that it is compared with."""

    group: str
    name: str
    run: Run
    rivals: tuple[str, ...] = ()
    tensors: int = 1  # that one run draws


def numpy_contestants(n: int, dtype: str) -> Iterator[Contestant]:
    if dtype != "float32":
        return  # NumPy's generators have no bfloat16
    out = np.empty((n, n), np.float32)
    yield Contestant("memory", "fill", lambda: out.fill(1.0))
    yield Contestant("memory", "fill, new", lambda: np.empty((n, n), np.float32).fill(1.0))
    words, layout = out.view(np.uint32), Layout("io")
    parts = blocks((n, n), layout, None)
    yield Contestant(
        "numpy", "initspec words alone", lambda: cpu_fill.fill(words, "uint32", parts, (0, 0), None)
    )
    rngs = {
        "PCG64DXSM": np.random.Generator(np.random.PCG64DXSM(0)),
        "SFC64": np.random.Generator(np.random.SFC64(0)),
    }
    for bits, rng in rngs.items():
        yield Contestant(
            "numpy",
            f"standard_normal {bits}",
            lambda rng=rng: rng.standard_normal(out=out, dtype=np.float32),
        )
        yield Contestant(
            "numpy", f"random {bits}", lambda rng=rng: rng.random(out=out, dtype=np.float32)
        )
    for name, scheme, rival in [
        ("normal", "he_normal@torch", "standard_normal"),
        ("truncated normal", "he_normal", "standard_normal"),
        ("uniform", "he_uniform", "random"),
    ]:
        fill = initspec.get(scheme).numpy
        rivals = tuple(f"{rival} {bits}" for bits in rngs)
        yield Contestant(
            "numpy", f"initspec {name}", lambda fill=fill: fill((n, n), seed=0, out=out), rivals
        )
        if cpu_fill.compiled():
            yield Contestant(
                "numpy",
                f"initspec {name}, NumPy's kernel",
                lambda fill=fill: in_numpy(lambda: fill((n, n), seed=0, out=out)),
                rivals,
            )


def in_numpy(run: Run) -> object:
    """Run once with NumPy's kernel."""
    chosen = cpu_fill._kernel
    cpu_fill._kernel = lambda: NUMPY  # type: ignore[assignment]
    try:
        return run()
    finally:
        cpu_fill._kernel = chosen


def torch_contestants(n: int, dtype: str) -> Iterator[Contestant]:
    import torch

    weight = torch.empty(n, n, dtype=getattr(torch, dtype))
    theirs = torch.nn.init
    yield Contestant("torch", "kaiming_normal_", lambda: theirs.kaiming_normal_(weight))
    yield Contestant("torch", "kaiming_uniform_", lambda: theirs.kaiming_uniform_(weight))
    yield Contestant("torch", "trunc_normal_", lambda: theirs.trunc_normal_(weight))
    for name, scheme, rival in [
        ("normal", "he_normal@torch", "kaiming_normal_"),
        ("truncated normal", "he_normal", "trunc_normal_"),
        ("uniform", "he_uniform", "kaiming_uniform_"),
    ]:
        fill = initspec.get(scheme).torch_
        yield Contestant(
            "torch", f"initspec {name}", lambda fill=fill: fill(weight, seed=0), (rival,)
        )
        if cpu_fill.compiled():
            yield Contestant(
                "torch",
                f"initspec {name}, NumPy's kernel",
                lambda fill=fill: in_numpy(lambda: fill(weight, seed=0)),
                (rival,),
            )
    if n == 64:
        yield from model_contestants(n, getattr(torch, dtype))


def model_contestants(n: int, dtype: Any) -> Iterator[Contestant]:
    """A thousand weights of a PyTorch model: ours by name, theirs in order."""
    import torch

    model = {f"layers.{i}.weight": torch.empty(n, n, dtype=dtype) for i in range(1000)}
    fill, theirs = initspec.get("he_normal@torch").torch_, torch.nn.init.kaiming_normal_
    rival = f"kaiming_normal_, {len(model)} weights"
    yield Contestant(
        "torch", rival, lambda: [theirs(weight) for weight in model.values()], tensors=len(model)
    )
    yield Contestant(
        "torch",
        f"initspec normal, {len(model)} named weights",
        lambda: [fill(weight, seed=0, name=name) for name, weight in model.items()],
        (rival,),
        len(model),
    )


def jax_contestants(n: int, dtype: str) -> Iterator[Contestant]:
    import jax
    import jax.numpy as jnp

    key, kind = jax.random.key(0), getattr(jnp, dtype)
    for name, ours, theirs in [
        ("he_normal", "he_normal", jax.nn.initializers.he_normal()),
        ("he_uniform", "he_uniform", jax.nn.initializers.he_uniform()),
    ]:
        rival = jax.jit(theirs, static_argnums=(1, 2))
        yield Contestant(
            "jax", f"{name}, jit", lambda rival=rival: rival(key, (n, n), kind).block_until_ready()
        )
        init = initspec.get(ours).jax
        jitted = jax.jit(init, static_argnums=(1, 2))
        yield Contestant(
            "jax",
            f"initspec {name}",
            lambda init=init: init(key, (n, n), kind).block_until_ready(),
            (f"{name}, jit",),
        )
        yield Contestant(
            "jax",
            f"initspec {name}, jit",
            lambda jitted=jitted: jitted(key, (n, n), kind).block_until_ready(),
            (f"{name}, jit",),
        )


def keras_contestants(n: int, dtype: str) -> Iterator[Contestant]:
    import keras

    for ours, theirs in [("he_normal", "HeNormal"), ("he_uniform", "HeUniform")]:
        rival = getattr(keras.initializers, theirs)(seed=0)
        init = initspec.get(ours).keras(seed=0)
        yield Contestant("keras", theirs, lambda rival=rival: rival((n, n), dtype))
        yield Contestant(
            "keras", f"initspec {ours}", lambda init=init: init((n, n), dtype), (theirs,)
        )


def tensorflow_contestants(n: int, dtype: str) -> Iterator[Contestant]:
    import tensorflow as tf

    kind = getattr(tf, dtype)
    for ours, theirs in [
        ("he_normal", "stateless_truncated_normal"),
        ("he_uniform", "stateless_uniform"),
    ]:
        rival, init = getattr(tf.random, theirs), initspec.get(ours).tensorflow(seed=0)
        yield Contestant(
            "tensorflow", theirs, lambda rival=rival: rival((n, n), seed=(0, 1), dtype=kind)
        )
        yield Contestant(
            "tensorflow", f"initspec {ours}", lambda init=init: init((n, n), kind), (theirs,)
        )


GROUPS = {
    "numpy": numpy_contestants,
    "torch": torch_contestants,
    "jax": jax_contestants,
    "keras": keras_contestants,
    "tensorflow": tensorflow_contestants,
}


def race(contestants: list[Contestant], n: int, rounds: int) -> list[dict[str, Any]]:
    """Median seconds of each, run in turn; small tensors many times a round."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for one in contestants:
        one.run()  # reads the table, and compiles what is compiled
    for _ in range(rounds):
        for one in contestants:
            calls = max(1, 2**18 // (n * n * one.tensors))
            started = time.perf_counter()
            for _ in range(calls):
                one.run()
            elapsed = (time.perf_counter() - started) / calls
            seconds.setdefault((one.group, one.name), []).append(elapsed)
    median = {who: statistics.median(times) for who, times in seconds.items()}
    return [
        {
            "group": one.group,
            "name": one.name,
            "million_per_second": round(one.tensors * n * n / median[one.group, one.name] / 1e6, 1),
            "microseconds": round(median[one.group, one.name] * 1e6, 2),
            "ratios": {
                rival: round(median[one.group, rival] / median[one.group, one.name], 2)
                for rival in one.rivals
            },
        }
        for one in contestants
    ]


def tables(results: list[dict[str, Any]]) -> Iterator[str]:
    """One Markdown table for each type and size."""
    heading = None
    for row in results:
        if (row["dtype"], row["size"]) != heading:
            heading = row["dtype"], row["size"]
            yield f"\n## {row['size']} x {row['size']}, {row['dtype']}\n"
            yield "| | | million/s | microseconds | ratio |\n|---|---|---:|---:|---|"
        ratios = ", ".join(f"{value:.2f} x {name}" for name, value in row["ratios"].items())
        name = f"**{row['name']}**" if row["ratios"] else row["name"]
        yield (
            f"| {row['group']} | {name} | {row['million_per_second']} | "
            f"{row['microseconds']} | {ratios} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--markdown", action="store_true", help="print tables for docs/speed.md")
    parser.add_argument(
        "--quick", action="store_true", help="five rounds in place of eleven, no 4096"
    )
    parser.add_argument("--size", type=int, nargs="+", help="other sides of the square tensor")
    parser.add_argument("--only", help="one group: " + ", ".join(GROUPS))
    args = parser.parse_args()
    sizes = args.size or ([16, 64, 1024] if args.quick else [16, 64, 1024, 4096])
    found = {
        "date": date.today().isoformat(),
        "machine": f"{platform.processor() or platform.machine()}, {threads._workers()} cores",
        "python": platform.python_version(),
        "kernel": cpu_fill.described(),
        "results": [],
    }
    groups = {args.only: GROUPS[args.only]} if args.only else GROUPS
    for dtype in ("float32", "bfloat16"):
        for n in sizes:
            contestants = []
            for name, group in groups.items():
                if initspec.available()[name]:
                    contestants += group(n, dtype)
                else:
                    print(f"{name} is not installed: left out", file=sys.stderr)
            quiet = args.json or args.markdown
            if not quiet:
                print(f"\n{n} x {n} {dtype}")
            for row in race(contestants, n, 5 if args.quick else 11):
                found["results"].append({"size": n, "dtype": dtype, **row})
                if not quiet:
                    ratios = ", ".join(
                        f"{value:.2f} x {name}" for name, value in row["ratios"].items()
                    )
                    print(
                        f"  {row['group']:10} {row['name']:34} {row['million_per_second']:9.1f} M/s "
                        f"{row['microseconds']:11.1f} us  {ratios}",
                        flush=True,
                    )
    if args.json:
        print(json.dumps(found, indent=2))
    if args.markdown:
        print("\n".join(tables(found["results"])))


if __name__ == "__main__":
    main()
