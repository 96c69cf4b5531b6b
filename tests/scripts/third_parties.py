"""Initializers of third parties under our suite, as data and as a page.

    python tests/scripts/third_parties.py [--venv FOLDER] [--write] [-k WORD]

Makes an environment of its own with the pinned versions (CPU, constraints.txt), and judges each row
there with `initspec check`. ``--write`` writes tests/data/third_parties.json and the page
docs/third-parties.md; ``--page`` the page alone, from the data.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
DATA, PAGE = ROOT / "tests/data/third_parties.json", ROOT / "docs/third-parties.md"

#: Packages by version, and those that are installed without what they ask for.
PACKAGES = {
    "transformers": "5.24.0",
    "timm": "1.0.31",
    "torch_geometric": "2.8.1",
    "monai": "1.6.1",
    "mmengine": "0.10.7",
    "fvcore": "0.1.5.post20221221",
    "stable_baselines3": "2.9.2",
    "x-transformers": "2.31.10",
    "diffusers": "0.42.1",
    "megatron-core": "0.16.1",
}
ALONE = {"timm", "megatron-core"}
TORCH = "torch==2.13.0"


class Row(NamedTuple):
    """What is judged, as what, and on which tensor of PyTorch's order."""

    package: str
    target: str
    claim: str
    says: str
    shape: str = "8x86"


_CONV = "38x8x5x7"
_HF, _PYG = "transformers.initialization:", "torch_geometric.nn.inits:"
_CUT = "truncated_normal(std=0.02)"
_TORCH_DEFAULT = "he_uniform@torch(a=2.23606797749979)"

ROWS = (
    Row("transformers", f"{_HF}lecun_normal_", "lecun_normal", "LeCun's truncated normal law"),
    Row("transformers", f"{_HF}lecun_normal_", "lecun_normal", "the same, a convolution", _CONV),
    Row(
        "transformers",
        f"{_HF}default_flax_embed_init_",
        "variance_scaling(factor=1.0, distribution='normal')",
        "variance 1/fan_in, normal",
    ),
    Row("transformers", f"{_HF}trunc_normal_(std=0.02)", _CUT, "meant as cut at two deviations"),
    Row("transformers", f"{_HF}trunc_normal_(std=0.02,a=-2.0,b=2.0)",
        "truncated_normal@torch(std=0.02)", "PyTorch's, absolute bounds"),
    Row("transformers", f"{_HF}xavier_uniform_", "glorot_uniform@torch", "Glorot's", _CONV),
    Row("transformers", f"{_HF}xavier_normal_", "glorot_normal@torch", "Glorot's"),
    Row("transformers", f"{_HF}kaiming_normal_", "he_normal@torch", "He's", _CONV),
    Row("transformers", f"{_HF}kaiming_uniform_", "he_uniform@torch", "He's"),
    Row("transformers", f"{_HF}orthogonal_", "orthogonal", "orthogonal", "48x16"),
    Row("transformers", f"{_HF}normal_(std=0.02)", "normal(std=0.02)", "N(0, 0.02**2)"),
    Row("transformers", f"{_HF}sparse_(sparsity=0.1)", "sparse@torch(sparsity=0.1)", "sparse",
        "48x80"),
    Row("timm", "third_party_targets:timm_trunc_normal_", _CUT, "meant as cut at two deviations"),
    Row("timm", "third_party_targets:timm_trunc_normal_tf_", "truncated_normal@jax(stddev=0.02)",
        "trunc_normal_tf_(std=0.02)"),
    Row("timm", "third_party_targets:timm_lecun_normal_", "lecun_normal", "lecun_normal_", _CONV),
    Row("timm", "third_party_targets:timm_variance_scaling_",
        "variance_scaling(factor=2.0, mode='FAN_OUT', distribution='uniform')",
        "variance_scaling_(scale=2, mode='fan_out')", _CONV),
    Row("torch_geometric", f"{_PYG}glorot", "glorot_uniform", "Glorot's"),
    Row("torch_geometric", f"{_PYG}glorot", "glorot_uniform", "the same, more axes", _CONV),
    Row("torch_geometric", f"{_PYG}normal(mean=0.0,std=0.1)", "normal(std=0.1)", "N(0, 0.1**2)"),
    Row("torch_geometric", f"{_PYG}glorot_orthogonal(scale=2.0)", "orthogonal(gain=1.224744871391589)",
        "orthogonal, of variance scale/(in + out)", "48x16"),
    Row("torch_geometric", "third_party_targets:pyg_uniform",
        "variance_scaling(factor=0.3333333333333333, distribution='uniform')",
        "uniform(size), limit 1/sqrt(size)"),
    Row("torch_geometric", "third_party_targets:pyg_kaiming", "he_uniform@torch",
        "kaiming_uniform(fan, a=0)"),
    Row("torch_geometric", "torch_geometric.nn:GCNConv(86,8)#lin/weight", "glorot_uniform",
        "GCNConv's weight", ""),
    Row("torch_geometric", "torch_geometric.nn:GATConv(86,8)#lin/weight", "glorot_uniform",
        "GATConv's weight", ""),
    Row("torch_geometric", "torch_geometric.nn:Linear(86,8)#weight", _TORCH_DEFAULT,
        "Linear's weight", ""),
    Row("monai", "monai.networks.layers.weight_init:trunc_normal_(std=0.02)", _CUT,
        "meant as cut at two deviations"),
    Row("monai", "monai.networks.blocks:PatchEmbed(patch_size=4,in_chans=3,embed_dim=48)"
        "#proj/weight", _TORCH_DEFAULT, "PatchEmbed's kernel", ""),
    Row("mmengine", "mmengine.model.weight_init:trunc_normal_(mean=0.0,std=0.02,a=-2.0,b=2.0)",
        _CUT, "meant as cut at two deviations"),
    Row("mmengine", "third_party_targets:mm_trunc_normal", _CUT, "trunc_normal_init, meant as cut at two deviations"),
    Row("mmengine", "third_party_targets:mm_kaiming", "he_normal@torch(mode='fan_out')",
        "kaiming_init", _CONV),
    Row("mmengine", "third_party_targets:mm_xavier", "glorot_normal@torch", "xavier_init", _CONV),
    Row("mmengine", "third_party_targets:mm_caffe2_xavier",
        "variance_scaling(factor=1.0, distribution='uniform')", "caffe2_xavier_init", _CONV),
    Row("fvcore", "third_party_targets:c2_msra_fill", "he_normal@torch(mode='fan_out')",
        "c2_msra_fill", _CONV),
    Row("fvcore", "third_party_targets:c2_xavier_fill",
        "variance_scaling(factor=1.0, distribution='uniform')", "c2_xavier_fill", _CONV),
    Row("stable_baselines3", "third_party_targets:sb3_init_weights", "orthogonal",
        "BasePolicy.init_weights", "16x16"),
    Row("x-transformers", "x_transformers:Attention(dim=86,dim_head=8,heads=1)#to_q/weight",
        _TORCH_DEFAULT, "Attention's query", ""),
    Row("diffusers", "diffusers.models.embeddings:TimestepEmbedding(86,8)#linear_1/weight",
        _TORCH_DEFAULT, "TimestepEmbedding's first weight", ""),
    Row("diffusers", "diffusers.models.embeddings:ImagePositionalEmbeddings"
        "(64,8,8,24)#emb/weight", "normal(std=1.0)", "the embedding of the codes", ""),
    Row("megatron-core", "megatron.core.utils:init_method_normal(sigma=0.02)", "normal(std=0.02)",
        "init_method_normal(0.02)"),
    Row("megatron-core",
        "megatron.core.utils:scaled_init_method_normal(sigma=0.02,num_layers=12)",
        "normal(std=0.004082482904638631)", "scaled_init_method_normal(0.02, 12)"),
)  # fmt: skip


def install(venv: Path) -> Path:
    """An environment with the pinned versions; its Python."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv.absolute() / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [python, "-m", "pip", "install", "--quiet"]
    pinned = ["-c", ROOT / "constraints.txt", TORCH]
    subprocess.run([*pip, *pinned, f"{ROOT}[conformance]"], check=True)
    for name, version in PACKAGES.items():
        alone = ["--no-deps"] if name in ALONE else pinned
        subprocess.run([*pip, *alone, f"{name}=={version}"], check=True)
    return python


def judged(python: Path, row: Row) -> dict[str, Any]:
    """The row with its verdict, what the explanation says, and the command that shows it."""
    words = [row.target, "--as", row.claim, "--tier", "stat", "--time-limit", "200"]
    words += [
        "--shape",
        row.shape,
        "--layout",
        "oi" if row.shape.count("x") == 1 else "oihw",
    ] * bool(row.shape)
    done = subprocess.run(
        [python, "-m", "initspec", "check", *words, "--json", "-"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        record = json.loads(done.stdout)["records"][0]
    except (ValueError, KeyError, IndexError):
        record = {"verdict": "ERROR", "sentence": done.stderr.strip()[-300:], "command": ""}
    return {
        "package": f"{row.package}=={PACKAGES[row.package]}",
        "target": row.target,
        "documented": row.says,
        "claim": row.claim,
        "shape": list(record.get("shape", [])),
        "verdict": record["verdict"],
        "explanation": record.get("explanation") or record["sentence"],
        "command": record["command"],
    }


def page(data: dict[str, Any]) -> str:
    """The data as a page in Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in data["versions"].items())
    text = [
        "# Third parties' initializers under the suite",
        "",
        "Generated by `python tests/scripts/third_parties.py --write` on "
        f"{data['date']} on a CPU, with {versions}. What a function is documented to draw is held "
        "against what it draws. `trunc_normal_(std=0.02)` takes its bounds of -2 and 2 as absolute "
        "numbers, as PyTorch's documentation says, and so cuts nothing: it fails as what callers "
        "mean by it; transformers' conforms as `truncated_normal@torch(std=0.02)`. "
        "Each line ends with the command that shows it (`third_party_targets` is in tests/scripts "
        "and gives module-filling functions a layer; timm's file is loaded alone).",
    ]
    package = ""
    for row in data["rows"]:
        if row["package"] != package:
            package = row["package"]
            text += ["", f"## {package}", "", "| target | claims | verdict | what it does | command |",
                     "|---|---|---|---|---|"]  # fmt: skip
        does = row["explanation"] if row["verdict"] != "PASS" else "as documented"
        cells = [
            f"`{row['target']}`: {row['documented']}",
            f"`{row['claim']}`",
            row["verdict"],
            does,
        ]
        cells.append(f"`{row['command']}`")
        text.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, help="an environment that is kept, and used if there")
    parser.add_argument("--write", action="store_true", help="the data and the page")
    parser.add_argument("--page", action="store_true", help="the page alone, from the data")
    parser.add_argument(
        "-k", default="", help="only targets that contain this; --write keeps the others"
    )
    args = parser.parse_args()
    if args.page:
        PAGE.write_text(page(json.loads(DATA.read_text("utf-8"))), "utf-8")
        return
    with tempfile.TemporaryDirectory() as room:
        venv = args.venv or Path(room) / "venv"
        python = venv.absolute() / "bin" / "python"
        python = python if python.exists() else install(venv)
        kept = json.loads(DATA.read_text("utf-8"))["rows"] if args.k and args.write else []
        known = {(row["target"], row["documented"]): row for row in kept}
        rows = []
        for row in ROWS:
            if args.k in row.target:
                rows.append(judged(python, row))
                print(rows[-1]["verdict"], row.target, rows[-1]["explanation"][:150], flush=True)
            elif args.write:  # as it was
                rows.append(known[row.target, row.says])
        listing = subprocess.check_output([python, "-m", "pip", "list", "--format=json"], text=True)
    installed = {row["name"].lower(): row["version"] for row in json.loads(listing)}
    versions = {name: installed[name] for name in ("torch", "numpy", "scipy")}
    data = {"date": date.today().isoformat(), "versions": versions, "rows": rows}
    if args.write:
        DATA.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        PAGE.write_text(page(data), "utf-8")


if __name__ == "__main__":
    main()
