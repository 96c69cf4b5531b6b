"""The demonstration: real weights on every framework found, each checked against its law."""

from __future__ import annotations

import hashlib
import math
import os
import time
from typing import Any

from ..readings.registry import get
from ..spec.distribution import Distribution

SHAPE = (192, 320)
SEED = 42
SCHEMES = ("he_normal", "he_normal@torch", "glorot_uniform", "lecun_normal", "orthogonal", "zeros")
ALPHA = 1e-9  # the chance that a right array of the whole run is refused


def demo() -> tuple[dict[str, Any], list[str]]:
    """Data and lines: one row for each backend and scheme."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from ..plugins import available, backend

    found = [name for name, here in available().items() if here]
    rows = []
    for name in found:
        started = time.perf_counter()
        maker = backend(name)
        loaded = time.perf_counter() - started
        rows += [_row(maker, scheme) for scheme in SCHEMES]
        rows[-len(SCHEMES)]["import_seconds"] = round(loaded, 2)
    same = {
        scheme: len({row["sha256"] for row in rows if row["scheme"] == scheme}) == 1
        for scheme in SCHEMES
        if scheme != "orthogonal"
    }
    absent = [name for name, here in available().items() if not here]
    data = {
        "seed": SEED,
        "shape": list(SHAPE),
        "alpha": ALPHA,
        "rows": rows,
        "same_bits": same,
        "missing": absent,
        "conforms": all(row["conforms"] for row in rows) and all(same.values()),
    }
    return data, _lines(data, found)


def _row(maker: Any, scheme: str) -> dict[str, Any]:
    import numpy as np

    law = get(scheme).on(SHAPE, "io")
    drawn = maker.sample(law, SHAPE, key=maker.key(SEED), layout="io", dtype="float32")
    array = np.asarray(maker.tohost(drawn), order="C")
    values = array.astype(np.float64).ravel()
    distance = ks_distance(values, law)
    bound = math.sqrt(math.log(2 * 64 / ALPHA) / 2 / values.size)  # DKW, of 64 tests at most
    low, high = law.support
    return {
        "backend": maker.name,
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


def _lines(data: dict[str, Any], found: list[str]) -> list[str]:
    lines = [
        f"Weights of shape {SHAPE}, seed {SEED}, on: {', '.join(found)}.",
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
    if len(found) > 1:
        equal = sum(data["same_bits"].values())
        lines.append(
            f"{equal} of {len(data['same_bits'])} schemes have the same bits on all of them "
            "(orthogonal agrees to 1e-6: its QR is LAPACK's)."
        )
    if data["missing"]:
        extras = ",".join(data["missing"])
        absent = ", ".join(data["missing"])
        lines.append(f'Not installed: {absent}; pip install "initspec[{extras}]".')
    chance = "Everything conforms" if data["conforms"] else "NOT everything conforms"
    lines.append(f"{chance}; a right array would be refused once in {1 / data['alpha']:.0e} runs.")
    return lines
