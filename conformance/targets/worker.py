"""The process of targets given as text, from inside: it answers questions on its standard input.

``python -m initspec.conformance.targets.worker`` reads and writes the frames of
:mod:`initspec.conformance.targets.frames`. A question says what to ``do``:

* ``facts``: what is known of the tensor that the target makes;
* ``draw``: a tensor of a shape and dtype for each of several seeds;
* ``conduct``: how the target treats generators, tensors, threads and negative seeds;
* ``bases``: draws of a standard law by the samplers of the frameworks that are loaded here;
* ``entries``: the names in a table.
"""

from __future__ import annotations

import faulthandler
import math
import os
import sys
from itertools import islice
from typing import Any, NoReturn

import numpy as np

from ...backends.chance import silence
from ...errors import BackendMissing, InitSpecError
from ..batteries.known_samplers import from_data, of_frameworks
from .calls import Maker
from .frames import MOST, receive, send, unpacked
from .host import wide
from .loading import NoTable, entries, load
from .raised import other_shape, raised

_Answer = tuple[dict[str, Any], bytes]
_HEAD = 1 << 10  # bytes, of a few names
_FACTS = ("out_first", "fixed_shape", "layout", "seed_as", "ignores_seed", "seed_periods")


def main() -> NoReturn:
    """Answer questions until there are no more."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    errors = os.dup(2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    makers: dict[Any, Maker] = {}
    while (question := receive(questions)) is not None:
        asked = question[0]
        sys.path[:] = asked["path"]
        faulthandler.dump_traceback_later(asked["limit"], exit=True, file=errors)
        try:
            with silence():  # a seed is drawn in many shapes here, on purpose
                head, body = _answer(asked, makers)
        except InitSpecError as error:
            head, body = _problem(str(error), error), b""
        except SystemExit as error:
            head, body = _problem(f"the target called sys.exit({error.code!r:.100})"), b""
        except BaseException as error:
            head, body = _problem(f"the target raised {raised(error)}"), b""
        faulthandler.cancel_dump_traceback_later()
        send(answers, head, body)
    os._exit(0)  # no framework's cleaning up: nobody waits for it


def _problem(sentence: str, error: BaseException | None = None) -> dict[str, Any]:
    return {
        "problem": sentence,
        "missing": isinstance(error, BackendMissing),
        "no_table": isinstance(error, NoTable),
    }


def _answer(question: dict[str, Any], makers: dict[Any, Maker]) -> _Answer:
    text, claim = question["text"], question.get("claim")
    if question["do"] == "entries":
        return {"entries": entries(text)}, b""
    if (text, claim) not in makers:
        makers[text, claim] = load(text, claim)
    maker = makers[text, claim]
    if question["do"] == "facts":
        return {name: getattr(maker, name) for name in _FACTS}, b""
    if question["do"] == "conduct":
        shape, dtype = tuple(question["shape"]), question["dtype"]
        return {"conduct": maker.conduct(shape, dtype, question["seed"])}, b""
    return _bases(question) if question["do"] == "bases" else _drawn(maker, question)


def _drawn(maker: Maker, question: dict[str, Any]) -> _Answer:
    """The bytes of a tensor for each seed."""
    shape, dtype = tuple(question["shape"]), question["dtype"]
    drawn, rounded_from = [], ""
    for seed in question["seeds"]:
        answer = maker.answer(shape, dtype, unpacked(seed))
        array = maker.fitted(answer, dtype)
        if array.dtype != answer.dtype:
            rounded_from = answer.dtype.name
        if array.shape != shape:
            raise InitSpecError(other_shape(shape, array.shape))
        if array.dtype.name != dtype:
            raise InitSpecError(f"asked for {dtype}, the target answered {array.dtype.name}")
        drawn.append(np.ascontiguousarray(array).tobytes())
    return {"rounded_from": rounded_from}, b"".join(drawn)


def _bases(question: dict[str, Any]) -> _Answer:
    """The names of samplers, and the bytes of their draws as float64: as many as a frame holds."""
    law = from_data(question["law"])
    shape, dtype = tuple(question["shape"]), question["dtype"]
    most = (MOST - _HEAD) // max(8 * math.prod(shape), 1)
    with wide(dtype):
        draws = dict(islice(of_frameworks(law, shape, dtype, question["seed"]), most))
    body = b"".join(np.asarray(drawn, np.float64).tobytes() for drawn in draws.values())
    return {"names": list(draws)}, body


if __name__ == "__main__":
    main()
