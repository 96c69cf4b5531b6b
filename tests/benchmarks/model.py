#!/usr/bin/env python3
"""A whole model by a plan, beside what people use: ``python tests/benchmarks/model.py``.

Each line says the seconds of the fastest of several runs, in one process, and what they are of. Hugging
Face's own runs where transformers is installed. ``--size`` takes gpt2, gpt2-medium, gpt2-large or
gpt2-xl; ``--disk FOLDER`` writes LLaMA-7B's shapes in bfloat16 there, beside ``dd`` of the same bytes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import initspec

SIZES = {
    "gpt2": (12, 768, 12),
    "gpt2-medium": (24, 1024, 16),
    "gpt2-large": (36, 1280, 20),
    "gpt2-xl": (48, 1600, 25),
}


def best(call: Callable[[], Any], runs: int = 3) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def line(what: str, seconds: float, more: str = "") -> None:
    print(f"{what:46} {seconds:9.3f} s  {more}", flush=True)


def in_memory(size: str) -> None:
    import torch

    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        print("transformers is not installed: nothing to stand beside.")
        return
    layers, width, heads = SIZES[size]
    config = GPT2Config(n_layer=layers, n_embd=width, n_head=heads)
    with torch.device("meta"):
        model = GPT2LMHeadModel(config)
    plan = initspec.plan("gpt2")
    line(f"{size}: ledger of a meta model", best(lambda: plan.on(model)))
    plan.fill(model, seed=0, device="cpu")
    values = sum(p.numel() for p in model.parameters())
    ours = best(lambda: plan.fill(model, seed=0))
    line(f"{size}: plan.fill", ours, f"{values / ours / 1e6:,.0f} million values a second")

    def own() -> None:
        for module in model.modules():
            module._is_hf_initialized = False
        with torch.no_grad():
            model.apply(model._init_weights)

    for parameter in model.parameters():
        parameter._is_hf_initialized = False
    theirs = best(own)
    line(f"{size}: Transformers' own", theirs, f"{theirs / ours:.1f} times as long")


def names() -> None:
    experts = {
        f"layers.{i}.experts.{j}.{part}.weight": (8, 8)
        for i in range(60)
        for j in range(278)
        for part in ("w1", "w2", "w3")
    }
    plan = initspec.plan(
        {
            "plan": "experts",
            "symbols": {"n": "count(layer)"},
            "rule": [
                {"match": "layers.{layer}.experts.*.{w1,w3}.weight", "law": "normal(std=0.02)"},
                {"match": "layers.{layer}.**", "law": "normal(std=0.02 / sqrt(2 * n))"},
            ],
        }
    )
    line(f"{len(experts):,} names, resolved", best(lambda: plan.on(experts)))
    ledger = plan.on(experts)
    line(f"{len(experts):,} names, printed", best(lambda: str(ledger)))


def llama(layers: int = 32, width: int = 4096, inner: int = 11008) -> dict[str, tuple[int, ...]]:
    """The shapes of LLaMA-7B, by Hugging Face's names."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (32000, width)}
    for layer in range(layers):
        prefix = f"model.layers.{layer}"
        for part in "qkvo":
            shapes[f"{prefix}.self_attn.{part}_proj.weight"] = (width, width)
        for part in ("gate", "up"):
            shapes[f"{prefix}.mlp.{part}_proj.weight"] = (inner, width)
        shapes[f"{prefix}.mlp.down_proj.weight"] = (width, inner)
        for part in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{prefix}.{part}.weight"] = (width,)
    return {**shapes, "model.norm.weight": (width,), "lm_head.weight": (32000, width)}


WRITE = """
import json, resource, sys, time, initspec
plan = initspec.plan({"plan": "llama", "rule": [
    {"match": "**.{*_proj,embed_tokens,lm_head}.weight", "law": "normal(std=0.02)"},
    {"match": "**", "law": "ones"}]})
start = time.perf_counter()
plan.write(sys.argv[1], json.load(open(sys.argv[2])), seed=0, dtype="bfloat16")
taken = time.perf_counter() - start
print(taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def on_disk(folder: str, layers: int) -> None:
    shapes = llama(layers)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        listed = Path(place, "shapes.json")
        listed.write_text(json.dumps(shapes))
        command = [sys.executable, "-c", WRITE, f"{place}/out", str(listed)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, memory = map(float, done.stdout.split())
        size = sum(path.stat().st_size for path in Path(place, "out").glob("*.safetensors"))
        line(f"LLaMA, {layers} layers, bfloat16, {size / 1e9:.1f} GB", seconds, f"{memory:,.0f} MB")
        for path in Path(place, "out").iterdir():
            path.unlink()
        blocks = f"count={size >> 20}"
        copy = ["dd", "if=/dev/zero", f"of={place}/zeros", "bs=1M", blocks, "conv=fdatasync"]
        taken = best(lambda: subprocess.run(copy, capture_output=True, check=True), 1)
        line("dd of as many bytes", taken, f"{seconds / taken:.2f} times as long")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="gpt2")
    parser.add_argument("--disk", metavar="FOLDER")
    parser.add_argument("--layers", type=int, default=32, help="of LLaMA; 32 are 7B")
    args = parser.parse_args()
    names()
    in_memory(args.size)
    if args.disk:
        on_disk(args.disk, args.layers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of this process: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
