"""The frameworks' own initializers and layer defaults under our suite, as a page.

    python tests/scripts/survey.py [--write docs/survey.md] [-k WORD]

Each line of ``CLAIMS`` is a target, what its documentation claims it to be, and on which shape;
`initspec check TARGET --as SCHEME ...` repeats one. Keras is judged once on each of its backends.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from initspec.conformance import deviations, suite
from initspec.conformance.report.record import Record, Report
from initspec.conformance.targets.resolve import resolve

CONV = ((5, 7, 8, 38), "hwio")
KERAS = ("tensorflow", "jax", "torch")
TYPES = ("float32", "bfloat16")


class Claim(NamedTuple):
    """A target and what it claims; ``claim`` by a layer is of the true fans, see the notes."""

    target: str
    claim: str
    dtypes: tuple[str, ...] = ("float32",)
    note: str = ""
    shape: tuple[int, ...] | None = None
    layout: str | None = None


CLAIMS = {
    "PyTorch": [
        Claim("torch.nn.init:uniform_", "uniform@torch", TYPES),
        Claim("torch.nn.init:normal_", "normal@torch", TYPES),
        Claim("torch.nn.init:trunc_normal_", "truncated_normal@torch", TYPES),
        Claim("torch.nn.init:xavier_uniform_", "glorot_uniform@torch", TYPES),
        Claim("torch.nn.init:xavier_normal_", "glorot_normal@torch", TYPES),
        Claim("torch.nn.init:kaiming_uniform_", "he_uniform@torch", TYPES),
        Claim("torch.nn.init:kaiming_normal_", "he_normal@torch", TYPES),
        Claim("torch.nn.init:orthogonal_", "orthogonal"),
        Claim("torch.nn.init:sparse_(sparsity=0.9)", "sparse@torch"),
        Claim("torch.nn:Linear(86,8)#weight", "he_uniform@torch(a=2.23606797749979)"),
        Claim("torch.nn:Conv2d(8,38,(5,7))#weight", "he_uniform@torch(a=2.23606797749979)"),
        Claim(
            "torch.nn:ConvTranspose2d(8,38,(5,7))#weight",
            "variance_scaling(factor=0.3333333333333333, distribution='uniform')",
            note="fans swapped: a third of 1/fan_out in place of 1/fan_in",
        ),
        Claim(
            "torch.nn:MultiheadAttention(48,4)#in_proj_weight",
            "glorot_uniform",
            note="q, k and v counted as one matrix",
        ),
        Claim("torch.nn:Embedding(500,86)#weight", "normal@torch"),
    ],
    "JAX": [
        Claim(f"jax.nn.initializers:{name}", name, TYPES)
        for name in (
            "glorot_uniform",
            "glorot_normal",
            "he_uniform",
            "he_normal",
            "lecun_uniform",
            "lecun_normal",
        )
    ]
    + [
        Claim(f"jax.nn.initializers:{name}", name, ("complex64",))
        for name in ("glorot_normal", "he_normal", "lecun_normal", "he_uniform")
    ]
    + [
        Claim("jax.nn.initializers:normal", "normal(std=0.01)", ("float32", "complex64")),
        Claim("jax.nn.initializers:orthogonal", "orthogonal"),
        Claim("jax.nn.initializers:delta_orthogonal", "delta_orthogonal"),
    ],
    "Keras": [
        Claim(f"keras.initializers:{name}", claim, TYPES)
        for name, claim in (
            ("GlorotUniform", "glorot_uniform@keras"),
            ("GlorotNormal", "glorot_normal@keras"),
            ("HeUniform", "he_uniform@keras"),
            ("HeNormal", "he_normal@keras"),
            ("LecunNormal", "lecun_normal@keras"),
            ("RandomNormal", "normal@keras"),
            ("RandomUniform", "uniform@keras"),
        )
    ]
    + [
        Claim("keras.initializers:Orthogonal", "orthogonal"),
        Claim("keras.layers:Dense(8)#kernel@(None,86)", "glorot_uniform"),
        Claim("keras.layers:Conv2D(38,(5,7))#kernel@(None,9,9,8)", "glorot_uniform"),
        Claim(
            "keras.layers:DepthwiseConv2D((5,7),depth_multiplier=2)#kernel@(None,9,9,16)",
            "glorot_uniform",
            note="channels counted as inputs of one output",
        ),
        Claim(
            "keras.layers:Conv2DTranspose(38,(5,7),kernel_initializer='he_normal')#kernel@(None,9,9,8)",
            "he_normal",
            note="fans swapped",
        ),
        Claim(
            "keras.layers:LSTM(24)#kernel@(None,6,40)",
            "glorot_uniform",
            note="the four gates counted as one matrix",
        ),
        Claim(
            "traps:attention",
            "glorot_uniform",
            note="q, k and v of an attention whose initializer has a seed",
            shape=(3, 48, 48),
            layout="sio",
        ),
        Claim(
            "traps:shared",
            "glorot_uniform",
            note="two layers that share an initializer without a seed",
            shape=(2, 48, 48),
            layout="sio",
        ),
    ],
    "Flax": [
        Claim("flax.linen:Dense(8)#kernel@(1,86)", "lecun_normal"),
        Claim("flax.linen:Conv(38,(5,7))#kernel@(1,9,9,8)", "lecun_normal"),
        Claim("flax.nnx:Linear(86,8)#kernel", "lecun_normal"),
        Claim("flax.nnx:Conv(8,38,(5,7))#kernel", "lecun_normal"),
        Claim(
            "flax.linen:DenseGeneral(24, batch_dims=(0,))#kernel@(16, 4, 32)",
            "lecun_normal",
            shape=(16, 32, 24),
            layout="bio",
        ),
        Claim(
            'flax.nnx:Einsum("abc,cde->abde", (64, 8, 16))#kernel',
            "lecun_normal",
            shape=(64, 8, 16),
            layout="ioo",
        ),
    ],
}


def judged(claim: Claim) -> Iterator[Record]:
    """The records of a claim, one for each shape and type."""
    target = resolve(claim.target, scheme=claim.claim, time_limit=120)
    cells = suite.target_cells(
        target, claim.claim, shape=claim.shape, layout=claim.layout, dtypes=claim.dtypes
    )
    report = suite.run(cells, alpha=1e-9 / 200 * len(cells))
    plain = {record.cell: record for record in report.records}
    for record in deviations.apply(report, deviations.load()).records:
        if record.cell in plain:  # an entry for cells that are not here says nothing
            yield record if record.expected else plain[record.cell]


def page(rows: list[tuple[str, Claim, Record]], versions: dict[str, str]) -> str:
    """The page in Markdown."""
    names = ("torch", "tensorflow", "keras", "jax", "flax", "numpy", "scipy")
    listed = ", ".join(f"{name} {versions[name]}" for name in names if name in versions)
    text = [
        "# The frameworks' own initializers under the suite",
        "",
        "Generated by `python tests/scripts/survey.py --write docs/survey.md` on "
        f"{date.today().isoformat()} on a CPU, with {listed}. A layer is held against the fans of "
        "the contraction that it performs, an initializer against its framework's documentation. "
        "Any line can be repeated: `initspec check TARGET --as SCHEME --dtype D` (`traps` is in "
        "tests/scripts). At this size "
        "(about 2^17 values a cell) a right initializer fails the whole page once in 10^9.",
    ]
    heading = ""
    for group, claim, record in rows:
        if group != heading:
            heading = group
            text += [
                "",
                f"## {group}",
                "",
                "| target | claims | shape | type | verdict | why |",
                "|---|---|---|---|---|---|",
            ]
        reason = record.expected or record.explanation or record.sentence
        why = "; ".join(filter(None, (claim.note, reason)))
        if record.verdict == "PASS":
            why = ""
        shape = "x".join(map(str, record.shape))
        scheme = claim.claim.replace("|", "\\|")
        text.append(
            f"| `{claim.target}` | `{scheme}` | {shape} | {record.dtype} | {record.verdict} | "
            f"{why.replace('|', chr(92) + '|')} |"
        )
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--write", type=Path, help="the page to write; standard output if not given"
    )
    parser.add_argument("-k", default="", help="only targets that contain this")
    args = parser.parse_args()
    rows: list[tuple[str, Claim, Record]] = []
    for group, claims in CLAIMS.items():
        for backend in KERAS if group == "Keras" else ("",):
            if backend:
                os.environ["KERAS_BACKEND"] = backend
            title = f"Keras on {backend}" if backend else group
            for claim in claims:
                if args.k in claim.target:
                    for record in judged(claim):
                        rows.append((title, claim, record))
                        print(f"{record.verdict:12} {title}: {record.cell}", file=sys.stderr)
    report = Report(
        records=tuple(row[2] for row in rows),
        alpha=1e-9,
        beta=1e-6,
        seed="",
        versions=suite.versions(),
    )
    text = page(rows, dict(report.versions))
    if args.write:
        args.write.write_text(text, "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
