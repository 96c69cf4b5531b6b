"""``initspec demo``: real weights on every framework that is here, each held against its law."""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from typing import TYPE_CHECKING, Any

from .command import Answer, Command, no_options

if TYPE_CHECKING:
    from ..spec.distribution import Distribution

SHAPE = (192, 320)
SEED = 42
SCHEMES = ("he_normal", "he_normal@torch", "glorot_uniform", "lecun_normal", "orthogonal", "zeros")
ALPHA = 1e-9  # the chance that a right array of the whole run is refused


def answer(args: argparse.Namespace) -> Answer:
    """One row for each backend and scheme; the exit code is 1 where one differs from its law."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from ..plugins import available, backend

    installed = [name for name, here in available().items() if here]
    rows = []
    for name in installed:
        started = time.perf_counter()
        adapter = backend(name)
        loaded = time.perf_counter() - started
        rows += [_row(adapter, scheme) for scheme in SCHEMES]
        rows[-len(SCHEMES)]["import_seconds"] = round(loaded, 2)
    same_bits = {
        scheme: len({row["sha256"] for row in rows if row["scheme"] == scheme}) == 1
        for scheme in SCHEMES
        if scheme != "orthogonal"
    }
    data = {
        "seed": SEED,
        "shape": list(SHAPE),
        "alpha": ALPHA,
        "rows": rows,
        "same_bits": same_bits,
        "missing": [name for name, here in available().items() if not here],
        "conforms": all(row["conforms"] for row in rows) and all(same_bits.values()),
    }
    return Answer(data, _lines(data, installed), code=0 if data["conforms"] else 1)


def _row(adapter: Any, scheme: str) -> dict[str, Any]:
    import numpy as np

    from ..readings.registry import get
    from ..spec.distance import dkw_distance

    law = get(scheme).on(SHAPE, "io")
    drawn = adapter.sample(law, SHAPE, key=adapter.key(SEED), layout="io", dtype="float32")
    array = np.asarray(adapter.tohost(drawn), order="C")
    values = array.astype(np.float64).ravel()
    distance = ks_distance(values, law)
    bound = dkw_distance(ALPHA / 64, values.size)  # of 64 tests at most
    low, high = law.support
    return {
        "backend": adapter.name,
        "scheme": scheme,
        "mean": float(values.mean()),
        "std": float(values.std()),
        "wanted_std": law.std,
        "ks": distance,
        "ks_bound": bound,
        "conforms": bool(
            distance <= bound
            and low - 1e-6 <= values.min()
            and values.max() <= high + 1e-6
            and np.isfinite(values).all()
        ),
        "sha256": hashlib.sha256(array.astype("<f4").tobytes()).hexdigest(),
    }


def ks_distance(values: Any, law: Distribution) -> float:
    """The largest gap between the share of values below ``x`` and the law's ``cdf(x)``."""
    import numpy as np

    ordered, counts = np.unique(values, return_counts=True)
    upto = np.cumsum(counts) / values.size
    before = upto - counts / values.size
    at = np.array([law.cdf(x) for x in ordered.tolist()])
    if law.std == 0 or law.kind == "array":
        return float(np.abs(upto - at).max())
    return float(max(np.abs(upto - at).max(), np.abs(at - before).max()))


def _lines(data: dict[str, Any], installed: list[str]) -> list[str]:
    lines = [
        f"Weights of shape {SHAPE}, seed {SEED}, on: {', '.join(installed)}.",
        "",
        f"{'backend':10}  {'scheme':15}  {'std':>9}  {'wanted':>9}  {'KS':>7}  {'bound':>7}  "
        f"{'':8}  sha256",
    ]
    for row in data["rows"]:
        verdict = "conforms" if row["conforms"] else "DIFFERS"
        lines.append(
            f"{row['backend']:10}  {row['scheme']:15}  {row['std']:9.6f}  "
            f"{row['wanted_std']:9.6f}  "
            f"{row['ks']:7.5f}  {row['ks_bound']:7.5f}  {verdict:8}  {row['sha256'][:12]}"
        )
    lines.append("")
    if len(installed) > 1:
        equal = sum(data["same_bits"].values())
        lines.append(
            f"{equal} of {len(data['same_bits'])} schemes have the same bits on all of them "
            "(orthogonal agrees to 1e-6: its QR is LAPACK's)."
        )
    if data["missing"]:
        extras = ",".join(data["missing"])
        absent = ", ".join(data["missing"])
        lines.append(f'Not installed: {absent}; pip install "initspec[{extras}]".')
    verdict = "Everything conforms" if data["conforms"] else "NOT everything conforms"
    lines.append(f"{verdict}; a right array would be refused once in {1 / data['alpha']:.0e} runs.")
    return lines


COMMAND = Command(
    "demo", "Draw weights on every framework found here, and check them.", no_options, answer
)
