"""A target given as text: it lives in a process of its own, which is asked for its tensors."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from ...errors import InitSpecError, NotInstalled
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ..batteries.known_samplers import as_data, of_numpy
from ..report.record import ERROR, SKIP
from .frames import packed
from .host import numpy_dtype
from .loading import NoTable
from .process import Lost, Process
from .target import Target, Unjudged

Array = NDArray[Any]

_BATCH = 1 << 25  # bytes of weights that are asked for at a time
_FIRST, _SEEDS = 8, 512  # and tensors: first few, then more from what answers fast
_FAST = 0.5  # seconds
_OTHER_ANSWER = "the process of the target answered something else than was asked"


class _Begun(NamedTuple):
    """A tensor that another process is drawing, and where it will be; None if it cannot be had."""

    seed: int
    answer: queue.SimpleQueue[Array | None]


class TextTarget(Target):
    """A target given as text, in a process; ``claim`` chooses the entry, where it is a table."""

    def __init__(self, text: str, process: Process, claim: str | None = None) -> None:
        self.name = self.text = text
        self._process, self._claim = process, claim
        self._problem: Exception | None = None
        self._pace = _FIRST
        self._begun: dict[tuple[Shape, str], _Begun] = {}

    @cached_property
    def out_first(self) -> bool:
        """Whether its usual layout is PyTorch's."""
        return bool(self._facts.get("out_first"))

    @cached_property
    def fixed_shape(self) -> Shape | None:
        """The shape of a layer's parameter."""
        shape = self._facts.get("fixed_shape")
        return None if shape is None else tuple(shape)

    @cached_property
    def layout(self) -> str | None:
        """The axes of a layer's parameter, where they are known."""
        return self._facts.get("layout")

    @cached_property
    def seed_as(self) -> str:
        """What it is handed for a seed."""
        return str(self._facts.get("seed_as", ""))

    @cached_property
    def ignores_seed(self) -> bool:
        """Whether it is an array."""
        return bool(self._facts.get("ignores_seed"))

    @cached_property
    def seed_periods(self) -> tuple[int, ...]:
        """By what the seeds differ that its framework takes for one."""
        return tuple(self._facts.get("seed_periods", ()))

    @cached_property
    def _facts(self) -> dict[str, Any]:
        """Nothing is known of what cannot be loaded: then :meth:`draw` says why."""
        try:
            return self._ask({"do": "facts"})[0]
        except Exception as problem:
            self._problem = problem
            return {}

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """One tensor."""
        return self.draw_many(shape, dtype=dtype, seeds=[seed])[0]

    def draw_many(self, shape: Shape, *, dtype: str, seeds: Sequence[int]) -> list[Array]:
        """A tensor for each seed.

        Raises :class:`~initspec.conformance.targets.target.Unjudged` with a sentence for all that
        can go wrong; the next call is answered by a new process.
        """
        if not self._facts and self._problem:
            raise self._problem
        kind = numpy_dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        most = max(1, min(_SEEDS, _BATCH // max(size, 1)))
        tensors: list[Array] = []
        while len(tensors) < len(seeds):
            part = [packed(seed) for seed in seeds[len(tensors) :][: min(most, self._pace)]]
            started = time.monotonic()
            question = {"do": "draw", "shape": shape, "dtype": dtype, "seeds": part}
            head, body = self._ask(question)
            if len(body) != size * len(part):
                _unjudged(_OTHER_ANSWER)
            self.rounded_from = str(head.get("rounded_from", ""))
            if not tensors and len(seeds) > 1 and not self.ignores_seed:  # it does answer
                self._begun[shape, dtype] = self._begin(shape, dtype, seeds[0])
            tensors.extend(np.frombuffer(body, kind).reshape(len(part), *shape))
            is_fast = time.monotonic() - started < _FAST
            self._pace = min(2 * self._pace, _SEEDS) if is_fast else max(self._pace // 2, 1)
        return tensors

    def conduct(self, shape: Shape, *, dtype: str, seed: int) -> Mapping[str, str]:
        """All that can be asked in its process; nothing where that is lost."""
        try:
            head, _ = self._ask({"do": "conduct", "shape": shape, "dtype": dtype, "seed": seed})
        except Unjudged:
            return {}
        answer = head.get("conduct")
        return answer if isinstance(answer, dict) else {}

    def elsewhere(self, shape: Shape, *, dtype: str, seed: int) -> Array | None:
        """The tensor of a seed from another process, which has begun to draw the first one."""
        begun = self._begun.pop((shape, dtype), None)
        if begun is None or begun.seed != seed:
            begun = self._begin(shape, dtype, seed)
        return begun.answer.get()

    def _begin(self, shape: Shape, dtype: str, seed: int) -> _Begun:
        """Have a tensor drawn in the other process, meanwhile."""
        begun = _Begun(seed, queue.SimpleQueue())
        asked = {"do": "draw", "shape": shape, "dtype": dtype, "seeds": [packed(seed)]}
        question = {**asked, "text": self.name, "claim": self._claim}
        kind, twin = numpy_dtype(dtype), self._process.twin

        def work() -> None:
            try:
                body = twin.ask(question)[1]
                begun.answer.put(np.frombuffer(body, kind).reshape(shape))
            except Exception:  # it cannot be drawn there: then nothing is known
                begun.answer.put(None)

        threading.Thread(target=work, daemon=True).start()
        return begun

    def bases(
        self, law: Distribution, shape: Shape, dtype: str, seed: int
    ) -> Iterator[tuple[str, Array]]:
        """Draws by NumPy, which is the same here, and by the frameworks that its process loaded.

        Raises :class:`~initspec.conformance.targets.target.Unjudged` as :meth:`draw_many` does.
        """
        yield from of_numpy(law, shape, dtype, seed)
        question = {"do": "bases", "law": as_data(law), "shape": shape, "dtype": dtype}
        head, body = self._ask({**question, "seed": int(seed)})
        names = head.get("names")
        if not isinstance(names, list) or len(body) != 8 * len(names) * math.prod(shape):
            _unjudged(_OTHER_ANSWER)
        draws = np.frombuffer(body, np.float64).reshape(len(names), *shape)
        yield from zip(map(str, names), draws, strict=True)

    def _ask(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            head, body = self._process.ask({**question, "text": self.name, "claim": self._claim})
        except Lost as problem:
            _unjudged(f"{problem}.")
        if "problem" in head:
            _unjudged(head["problem"], head["missing"])
        return head, body


def names(text: str, process: Process) -> list[str]:
    """The entries of a table given as text.

    Raises :class:`NoTable` where it is something else, :class:`InitSpecError` where it cannot be
    had at all.
    """
    try:
        head, _ = process.ask({"do": "entries", "text": text})
    except Lost as problem:
        raise InitSpecError(f"{text}: {problem}.") from None
    if "problem" in head:
        error = NotInstalled if head["missing"] else NoTable if head["no_table"] else InitSpecError
        raise error(head["problem"])
    return list(head["entries"])


def _unjudged(sentence: str, missing: bool = False) -> NoReturn:
    raise Unjudged(SKIP if missing else ERROR, sentence)
