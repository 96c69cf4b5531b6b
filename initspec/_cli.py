"""The command line. Each command makes one answer, which is printed as text or as JSON.

Exit codes: 0 done; 1 what was checked does not conform; 2 the command cannot be done as it was
given; 3 a framework that it needs is not installed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import __version__
from .errors import BackendMissing, InitSpecError


class Answer(NamedTuple):
    """What a command found: data for machines, lines for people, and the exit code."""

    data: Any
    lines: Sequence[str]
    code: int = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = _parser().parse_args(argv)
    try:
        answer: Answer = args.command(args)
    except InitSpecError as error:
        if args.json:
            print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        else:
            print(f"initspec: {error}", file=sys.stderr)
        return 3 if isinstance(error, BackendMissing) else 2
    try:
        if args.json:
            print(json.dumps(_plain(answer.data), indent=2, ensure_ascii=False))
        else:
            print("\n".join(answer.lines))
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
    return answer.code


def _parser() -> argparse.ArgumentParser:
    from .stream import VERSION

    parser = argparse.ArgumentParser(
        prog="initspec",
        description="Weight initialisation, specified once, the same in every framework.",
    )
    version = f"initspec {__version__}, stream {VERSION}, spec 1"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Callable[[Any], Answer], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=function)
        sub.add_argument("--json", action="store_true", help="print one JSON document")
        return sub

    sub = command("list", _list, "List the named schemes.")
    sub.add_argument("--dialect", help="only the readings of this dialect, such as torch")

    sub = command("show", _show, "Say what a name means, who reads it otherwise, and its numbers.")
    sub.add_argument("name", help="a name: he_normal, he_normal@torch, 'normal(std=0.02)'")
    sub.add_argument("--shape", type=int, nargs="+", help="put the scheme on this shape")
    sub.add_argument("--layout", help="the roles of the axes: oihw, torch.Conv2d")

    sub = command("fans", _fans, "Count the fans of a weight.")
    sub.add_argument("shape", type=int, nargs="+")
    sub.add_argument("--layout", help="the roles of the axes: oihw, 'torch.Conv2d, groups=4'")

    sub = command("sample", _sample, "Draw a tensor.")
    sub.add_argument("name", help="a name: he_normal, he_normal@torch, 'normal(std=0.02)'")
    sub.add_argument("--shape", type=int, nargs="*", required=True)
    sub.add_argument("--layout", help="the roles of the axes; the backend's usual one if not given")
    sub.add_argument("--seed", type=int, default=0, help="an integer of 64 bits (default: 0)")
    sub.add_argument("--name", dest="parameter", help="the parameter's name, folded into the key")
    sub.add_argument("--dtype", default="float32")
    sub.add_argument("--backend", default="numpy")
    sub.add_argument("--stream", default="portable", help="portable (the default) or native")
    sub.add_argument("--out", help="write it to this .npy or .safetensors file")
    sub.add_argument("--digest", action="store_true", help="print its SHA-256 in place of values")

    command("demo", _demo, "Draw weights on every framework found here, and check them.")
    command("doctor", _doctor, "Print the versions that matter.")
    command("schema", _schema, "Print the JSON Schema of schemes.toml and of a saved scheme.")
    return parser


def _list(args: Any) -> Answer:
    from .errors import UnknownName
    from .registry import dialects, schemes

    if args.dialect is not None and args.dialect not in dialects():
        raise UnknownName("dialect", args.dialect, dialects())
    rows = [entry for entry in schemes.values() if args.dialect in (None, entry.dialect)]
    data = [
        {
            "name": entry.name,
            "aliases": entry.aliases,
            "title": entry.title,
            "formula": entry.make().formula,
        }
        for entry in rows
    ]
    width = max(len(entry.name) for entry in rows)
    lines = []
    for entry in rows:
        also = f"  (also {', '.join(entry.aliases)})" if entry.aliases else ""
        lines.append(f"{entry.name:{width}}  {entry.make().formula}{also}")
    lines += [
        "",
        "`initspec show NAME` says more; a name without @ has the meaning of Keras, "
        "TensorFlow and JAX.",
    ]
    return Answer(data, lines)


def _show(args: Any) -> Answer:
    from ._show import show

    data, lines = show(args.name, args.shape, args.layout)
    return Answer(data, lines)


def _fans(args: Any) -> Answer:
    from .layout import Layout, fans

    shape = _shape(args.shape)
    layout = Layout.of(args.layout, len(shape))
    true, naive = fans(shape, layout), fans(shape, layout, "naive")
    data = {
        "shape": shape,
        "layout": str(layout),
        "fan_in": true.fan_in,
        "fan_out": true.fan_out,
        "naive": naive._asdict(),
    }
    lines = [
        f"shape {shape}, layout {layout}",
        f"fan_in   {true.fan_in:g}",
        f"fan_out  {true.fan_out:g}",
    ]
    if naive != true:
        lines.append(
            f"Frameworks that count whole axes say fan_in {naive.fan_in:g}, "
            f"fan_out {naive.fan_out:g}."
        )
    return Answer(data, lines)


def _sample(args: Any) -> Answer:
    from ._sample import sample

    data, lines = sample(args)
    return Answer(data, lines)


def _demo(args: Any) -> Answer:
    from ._demo import demo

    data, lines = demo()
    return Answer(data, lines, code=0 if data["conforms"] else 1)


def _doctor(args: Any) -> Answer:
    from ._doctor import doctor

    data = doctor()
    width = max(map(len, data))
    return Answer(data, [f"{name:{width}}  {value}" for name, value in data.items()])


def _schema(args: Any) -> Answer:
    from pathlib import Path

    text = Path(__file__).with_name("schemes.schema.json").read_text("utf-8")
    return Answer(json.loads(text), [text.rstrip()])


def _shape(numbers: Sequence[int]) -> tuple[int, ...]:
    from .scheme import checked_shape

    return checked_shape(tuple(numbers))


def _plain(value: Any) -> Any:
    """JSON has no infinity and no NaN: they are printed as words."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
