"""Drawing a tensor on the command line."""

from __future__ import annotations

import hashlib
from typing import Any

from ..files.writing import checked_out, write
from ..readings.registry import get
from ..spec.layout import checked_shape
from ..stream.reference import VERSION


def sample(args: Any) -> tuple[dict[str, Any], list[str]]:
    """Data and lines on one drawn tensor; written to a file if asked."""
    import numpy as np

    from ..plugins import backend
    from ..protocol import check_stream
    from ..spec.layout import Layout
    from ..stream.dtypes import dtype_name, widened

    out = checked_out(args.out)
    shape, dtype = checked_shape(tuple(args.shape)), dtype_name(args.dtype)
    check_stream(args.stream)
    scheme = get(args.name)
    maker = backend(args.backend)
    layout = Layout.of(args.layout, len(shape), out_first=maker.out_first)
    law = scheme.on(shape, layout)
    if args.stream == "native":
        drawn = maker.native(law, shape, source=args.seed, layout=layout, dtype=dtype)
    else:
        key = maker.key(args.seed, args.parameter)
        drawn = maker.sample(law, shape, key=key, layout=layout, dtype=dtype)
    array = np.asarray(maker.tohost(drawn), order="C")
    raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    numbers = widened(array)
    data: dict[str, Any] = {
        "scheme": scheme.name,
        "formula": scheme.formula,
        "backend": args.backend,
        "stream": VERSION if args.stream == "portable" else "native",
        "seed": args.seed,
        "name": args.parameter,
        "shape": list(shape),
        "layout": str(layout),
        "dtype": dtype,
        "mean": float(numbers.mean()) if numbers.size else None,
        "std": float(numbers.std()) if numbers.size else None,
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    if out is not None:
        write(out, array, data)
        data["out"] = str(out)
    lines = [f"{key:8} {data[key]}" for key in ("shape", "dtype", "mean", "std")]
    lines.append(f"{'sha256':8} {data['sha256']}" if args.digest else str(numbers))
    if out is not None:
        lines.append(f"written  {out}")
    if not args.digest and not args.json and numbers.size <= 64:
        data["values"] = numbers.tolist()
    return data, lines
