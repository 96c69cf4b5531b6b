"""The command line. Each command makes one answer, which is printed as text or as JSON.

Exit codes: 0 done; 1 what was checked does not conform; 2 the command cannot be done as it was
given; 3 what it needs is not installed, or nothing could be tested.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .. import __version__
from ..errors import BackendMissing, InitSpecError
from .answer import Answer
from .check import check_options
from .fans import count_fans
from .generate import write_source


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = _parser().parse_args(argv)
    as_json = args.json in (True, "-")  # `check` may write it to a file
    try:
        answer: Answer = args.command(args)
    except InitSpecError as error:
        if as_json:
            print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        else:
            print(f"initspec: {error}", file=sys.stderr)
        return 3 if isinstance(error, BackendMissing) else 2
    try:
        if as_json:
            from ..spec.serial import printable

            print(json.dumps(printable(answer.data), indent=2, ensure_ascii=False))
        else:
            print("\n".join(answer.lines))
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
    return answer.code


def _parser() -> argparse.ArgumentParser:
    from ..stream.reference import VERSION

    parser = argparse.ArgumentParser(
        prog="initspec",
        description="Weight initialisation, specified once, the same in every framework.",
    )
    version = f"initspec {__version__}, stream {VERSION}, spec 1"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, function: Callable[[Any], Answer], text: str, json_file: bool = False
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=function)
        if json_file:
            text = "print one JSON document, or write it to this file"
            sub.add_argument("--json", nargs="?", const="-", metavar="FILE.json", help=text)
        else:
            sub.add_argument("--json", action="store_true", help="print one JSON document")
        return sub

    sub = command("list", _list, "List the named schemes.")
    sub.add_argument("--dialect", help="only the readings of this dialect, such as torch")

    sub = command("show", _show, "Say what a name means, who reads it otherwise, and its numbers.")
    sub.add_argument("name", help="a name: he_normal, he_normal@torch, 'normal(std=0.02)'")
    sub.add_argument("--shape", type=int, nargs="+", help="put the scheme on this shape")
    sub.add_argument("--layout", help="the roles of the axes: oihw, torch.Conv2d")

    sub = command("fans", count_fans, "Count the fans of a weight.")
    sub.add_argument("shape", type=int, nargs="+")
    sub.add_argument("--layout", help="the roles of the axes: oihw, 'torch.Conv2d, groups=4'")
    sub.add_argument("--rule", help="count by this rule: true, naive, torch, last_two, ...")

    sub = command("generate", write_source, "Say a scheme as source text of a framework.")
    sub.add_argument("name", help="a name: he_normal, he_normal@torch, 'normal(std=0.02)'")
    sub.add_argument("--to", required=True, help="the framework: torch, keras, jax, mxnet")
    sub.add_argument("--shape", type=int, nargs="+", help="the weight's shape, for its numbers")
    sub.add_argument("--layout", help="the roles of the axes: oihw, torch.Conv2d")

    sub = command("diff", _diff, "Say what tells two schemes apart on a shape.")
    sub.add_argument("first", help="a name: he_normal@keras")
    sub.add_argument("second", help="another one: he_normal@torch")
    sub.add_argument("--shape", type=int, nargs="*", required=True)
    sub.add_argument("--layout", help="the roles of the axes: oihw, torch.Conv2d")

    sub = command("port", _port, "Say what a layer draws by default, and how to have it elsewhere.")
    sub.add_argument("layer", help="a layer: torch.nn.Linear, keras.layers.Dense")
    sub.add_argument("--to", required=True, help="a framework, or one of its layers: flax")
    word = "sizes in place of the example's: in=256 out=512 k=3x3"
    sub.add_argument("--size", nargs="+", default=[], metavar="WORD=N", help=word)

    sub = command("infer", _infer, "Say what the tensors of a file could have been drawn from.")
    sub.add_argument("file", help="weights.safetensors, .npz or .npy")
    word = "the roles of the axes of tensors with so many; else both usual orders are tried"
    sub.add_argument("--layout", help=word)
    sub.add_argument("--framework", help="its layout and its dialect alone, such as torch")

    sub = command("signal", _signal, "Follow variance through the layers of a deep network.")
    sub.add_argument("name", help="a name: he_normal, he_normal@torch, 'normal(std=0.02)'")
    sub.add_argument("--activation", default="relu", help="relu (the default), tanh, gelu, ...")
    sub.add_argument("--slope", type=float, help="the negative slope of leaky_relu (default: 0.01)")
    sub.add_argument("--depth", type=int, default=50, help="layers (default: 50)")
    sub.add_argument("--width", type=int, default=512, help="units in each (default: 512)")
    sub.add_argument("--seed", type=int, default=0, help="an integer of 64 bits (default: 0)")
    sub.add_argument("--plot", metavar="FILE.svg", help="draw it to this file")

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

    check_options(command("check", _check, "Judge what makes weights.", json_file=True))

    sub = command("report", _report, "Make one page, to be read in a browser, of a run.")
    word = "what `initspec check ... --json run.json` wrote; - reads it from what comes in"
    sub.add_argument("run", metavar="run.json", help=word)
    word = "the page (default: the run's name, with .html)"
    sub.add_argument("-o", "--out", metavar="FILE.html", help=word)

    sub = command("power", _power, "Say how many values a fault needs to be seen.")
    sub.add_argument("--error", default="1%", help="the size of the fault (default: 1%%)")
    sub.add_argument("--n", type=int, help="say what so many values show")
    sub.add_argument("--law", default="normal", help="normal, uniform or truncated_normal")
    sub.add_argument("--alpha", type=float, default=1e-9, help="a run's chance of a false alarm")
    sub.add_argument("--beta", type=float, default=1e-6, help="the chance to miss the fault")
    sub.add_argument("--cells", type=int, default=1, help="the cells of the run (default: 1)")

    command("demo", _demo, "Draw weights on every framework found here, and check them.")
    command("doctor", _doctor, "Print the versions that matter.")
    command(
        "schema", _schema, "Print the JSON Schema of the schemes, the dialects and a saved scheme."
    )
    return parser


def _list(args: Any) -> Answer:
    from .show import list_rows

    data, lines = list_rows(args.dialect)
    end = "`initspec show NAME` says more; a name without @ has the meaning of Keras, TensorFlow "
    return Answer(data, [*lines, "", f"{end}and JAX."])


def _show(args: Any) -> Answer:
    from .show import show

    data, lines = show(args.name, args.shape, args.layout)
    return Answer(data, lines)


def _diff(args: Any) -> Answer:
    from .diff import diff

    return Answer(*diff(args))


def _port(args: Any) -> Answer:
    from .port import port

    return Answer(*port(args))


def _infer(args: Any) -> Answer:
    from .infer import infer

    return Answer(*infer(args))


def _signal(args: Any) -> Answer:
    from .signal import signal

    return Answer(*signal(args))


def _sample(args: Any) -> Answer:
    from .sample import sample

    data, lines = sample(args)
    return Answer(data, lines)


def _check(args: Any) -> Answer:
    from .check import check

    return Answer(*check(args))


def _report(args: Any) -> Answer:
    from .report import report

    return Answer(*report(args))


def _power(args: Any) -> Answer:
    from .power import power

    return Answer(*power(args))


def _demo(args: Any) -> Answer:
    from .demo import demo

    data, lines = demo()
    return Answer(data, lines, code=0 if data["conforms"] else 1)


def _doctor(args: Any) -> Answer:
    from .doctor import doctor

    data = doctor()
    width = max(map(len, data))
    return Answer(data, [f"{name:{width}}  {value}" for name, value in data.items()])


def _schema(args: Any) -> Answer:
    from pathlib import Path

    text = Path(__file__).parents[1].joinpath("readings", "schemes.schema.json").read_text("utf-8")
    return Answer(json.loads(text), [text.rstrip()])
