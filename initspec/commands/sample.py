"""``initspec sample``: one tensor, drawn, digested and written."""

from __future__ import annotations

import argparse
import hashlib
import math
from typing import Any

from .. import versions
from .arguments import layout_option, scheme_argument, scheme_of, shape_option
from .command import Answer, Command, Output

#: Bytes that a number takes: itself, twice, and its description in float64, twice.
_BYTES = 24


def options(parser: argparse.ArgumentParser) -> None:
    """A scheme, the tensor to draw, and what to do with it."""
    scheme_argument(parser)
    shape_option(parser, "the tensor's shape", required=True)
    layout_option(parser, "the roles of the axes; the backend's usual one if not given")
    parser.add_argument("--seed", type=int, default=0, help="an integer of 64 bits (default: 0)")
    text = "the parameter's name, folded into the key"
    parser.add_argument("--name", dest="parameter", help=text)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--backend", default="numpy")
    parser.add_argument("--stream", default="portable", help="portable (the default) or native")
    parser.add_argument("--out", help="write it to this .npy or .safetensors file")
    text = "print its SHA-256 in place of values"
    parser.add_argument("--digest", action="store_true", help=text)


def answer(args: argparse.Namespace) -> Answer:
    """The drawn tensor; written to a file if asked."""
    import numpy as np

    from ..conformance.targets.host import wide
    from ..files.memory import ask_for_memory
    from ..files.writing import checked_out, tensor_content
    from ..plugins import backend
    from ..protocol import check_stream
    from ..spec.layout import Layout, checked_shape
    from ..stream.dtypes import dtype_name, widened

    out = checked_out(args.out)
    shape, dtype = checked_shape(args.shape), dtype_name(args.dtype)
    check_stream(args.stream)
    scheme = scheme_of(args)
    adapter = backend(args.backend)
    layout = Layout.of(args.layout, len(shape), out_first=adapter.out_first)
    law = scheme.on(shape, layout)
    ask_for_memory(math.prod(shape) * _BYTES, f"a tensor of shape {shape}, drawn and described,")
    with wide(dtype):  # JAX draws float64 only where it is told to
        if args.stream == "native":
            drawn = adapter.native(law, shape, source=args.seed, layout=layout, dtype=dtype)
        else:
            key = adapter.key(args.seed, args.parameter)
            drawn = adapter.sample(law, shape, key=key, layout=layout, dtype=dtype)
        array = np.asarray(adapter.tohost(drawn), order="C")
    raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    numbers = widened(array)
    data: dict[str, Any] = {
        "scheme": scheme.title,
        "formula": scheme.formula,
        "backend": args.backend,
        "stream": versions.STREAM if args.stream == "portable" else "native",
        "seed": args.seed,
        "name": args.parameter,
        "shape": list(shape),
        "layout": str(layout),
        "dtype": dtype,
        "mean": float(numbers.mean()) if numbers.size else None,
        "std": float(numbers.std()) if numbers.size else None,
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    files = []
    if out is not None:
        files.append(Output(out, tensor_content(out, array, dict(data)), f"written  {out}"))
        data["out"] = str(out)
    lines = [f"{key:8} {data[key]}" for key in ("shape", "dtype", "mean", "std")]
    lines.append(f"{'sha256':8} {data['sha256']}" if args.digest else str(numbers))
    if not args.digest and not args.json and numbers.size <= 64:
        data["values"] = numbers.tolist()
    return Answer(data, lines, files=files)


COMMAND = Command("sample", "Draw a tensor.", options, answer)
