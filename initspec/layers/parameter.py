"""What each framework's layers draw by default: the tables of ``initspec/layers``.

A table is a TOML file for each framework. A row, ``[[layer]]``, names layers that draw alike, their
``kind`` (``layers/kinds.toml``), how one is made, and for each parameter its role, its scheme and
its shape, in words of sizes: ``"out in/groups k"``. ``k`` stands for all sizes of a kernel, in a
formula for their product, and ``*`` in a layout for as many spatial axes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from ..errors import LayoutError, SpecError, UnknownName
from ..public import public
from ..spec.distribution import Distribution
from ..spec.fan_rules import Fans, Shape
from ..spec.layout import Layout, checked_shape, fans
from ..spec.scheme import Scheme
from ..spec.tensor_laws import Values
from .sizes import (
    SPREAD,
    Sizes,
    evaluate,
    identifiers,
    layout_text,
    names_in,
    size_of,
    spread,
    whole_number,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a layer, and what it draws by default.

    The law is ``scheme``'s on the parameter's own shape and ``layout``. Where its fans are another
    parameter's, that one is ``bounds`` (PyTorch's biases lie within ``1 / sqrt(fan_in)`` of their
    weight); where the framework counts them apart from any shape, ``fan_in`` and ``fan_out`` say
    how. ``joint`` takes all stacked gates as one matrix. ``gates`` are constants in place of a
    scheme, one for each gate: gate by gate, or ``interleaved``, unit by unit. ``zero_row`` is the
    layer's argument that names a row of zeros, ``required`` the one without which there is no law,
    ``when`` the condition under which the parameter exists, ``argument`` the one that takes an
    initializer, and ``called`` the layout in which the layer calls it, where that differs.

    >>> from initspec import defaults
    >>> defaults("torch", "Conv2d")["bias"].on(in_=64, groups=4, k=(2, 2)).support
    (-0.125, 0.125)
    """

    name: str
    role: str
    shape: str
    scheme: Scheme | None = None
    layout: str | None = None
    joint: bool = False
    bounds: Parameter | None = None
    fan_in: str = ""
    fan_out: str = ""
    gates: tuple[float, ...] = ()
    interleaved: bool = False
    zero_row: str = ""
    required: str = ""
    when: str = ""
    argument: str = ""
    called: str = ""
    note: str = ""

    def on(self, given: Sizes | Sequence[int] | None = None, /, **words: Any) -> Distribution:
        """The law for these sizes, or for a tensor of this shape.

        ``given`` is a shape of this parameter, or sizes by word; words may also be written as
        arguments, ``in_`` for ``in``.

        Raises :class:`SpecError` where a size that the law needs is missing, or where there is no
        default; :class:`LayoutError` where a shape is none of this parameter.

        >>> from initspec import defaults
        >>> defaults("torch", "Linear")["weight"].on((512, 256)).support
        (-0.0625, 0.0625)
        """
        sizes = self.sizes(given, **words)
        if self.required:
            raise SpecError(f"{self.name} has no default law: the caller gives {self.required!r}.")
        if self.gates:
            return self._constants(self.shape_on(sizes))
        scheme = self._scheme
        if scheme.needs_fans:  # only those that the mode looks at: sizes may be missing for others
            words = self.fan_words()._asdict()
            asked = (
                ("fan_in", "fan_out") if "AVG" in str(scheme.mode) else (str(scheme.mode).lower(),)
            )
            counts = {fan: evaluate(words[fan], sizes, self.name) for fan in asked}
            return scheme.given(**{"fan_in": 1, "fan_out": 1, **counts})
        if scheme.distribution in ("normal", "uniform", "truncated_normal", "constant"):
            return scheme.given(fan_in=1, fan_out=1)
        shape = self.shape_on(sizes)
        return scheme.on(shape, self.drawn_in(sizes))

    @property
    def _scheme(self) -> Scheme:
        assert self.scheme is not None
        return self.scheme

    def _constants(self, shape: Shape) -> Distribution:
        import numpy as np

        lay = np.tile if self.interleaved else np.repeat
        numbers = lay(self.gates, shape[-1] // len(self.gates))
        return Scheme(distribution="array", array=Values.of(np.broadcast_to(numbers, shape))).on(
            shape
        )

    def sizes(self, given: Sizes | Sequence[int] | None = None, /, **words: Any) -> Sizes:
        """All sizes that follow from those given: a shape says what its axes are.

        A convolution has one group unless ``groups`` says otherwise.

        >>> from initspec import defaults
        >>> defaults("torch", "Conv1d")["weight"].sizes((48, 16, 5))
        {'groups': 1, 'k': (5,), 'out': 48, 'in': 16}
        """
        if isinstance(given, Mapping):
            words = {**given, **words}
        sizes = {word.rstrip("_"): size_of(word, n) for word, n in words.items()}
        if self._grouped:
            sizes = {"groups": 1, **sizes}
        if given is None or isinstance(given, Mapping):
            return sizes
        return _solved(self, checked_shape(given), sizes)

    @property
    def _grouped(self) -> bool:
        if self.bounds is not None:
            return self.bounds._grouped
        return "groups=groups" in (self.layout or "") or "groups" in self.shape

    def fans(self, sizes: Sizes) -> Fans:
        """The fans that the framework counts, which need not be the true ones.

        >>> from initspec import defaults
        >>> defaults("torch", "ConvTranspose2d")["weight"].fans(
        ...     {"in": 16, "out": 48, "groups": 4, "k": (3, 5)}
        ... )
        Fans(fan_in=180, fan_out=240)
        """
        fan_in, fan_out = (evaluate(str(words), sizes, self.name) for words in self.fan_words())
        return Fans(fan_in, fan_out)

    def fan_words(self) -> Fans:
        """The fans in words, as text: ``Fans(fan_in="in/groups*k", fan_out="out*k")``.

        >>> from initspec import defaults
        >>> defaults("torch", "LSTM")["weight_ih_l0"].fan_words().fan_in
        'hidden'
        """
        if self.bounds is not None:
            return self.bounds.fan_words()
        if self.fan_in or self.fan_out:
            return Fans(self.fan_in or "1", self.fan_out or "1")  # type: ignore[arg-type]
        return _fan_words(self)

    def shape_on(self, sizes: Sizes) -> Shape:
        """The shape for these sizes.

        >>> from initspec import defaults
        >>> defaults("torch", "Conv1d")["weight"].shape_on(
        ...     {"in": 16, "out": 48, "groups": 4, "k": (5,)}
        ... )
        (48, 4, 5)
        """
        found: list[int] = []
        for word in self.shape.split():
            value = spread(word, sizes, self.name)
            found += value if value is not None else [whole_number(word, sizes, self.name)]
        return tuple(found)

    def layout_on(self, sizes: Sizes) -> Layout:
        """The roles of the axes, groups and stack resolved; of a vector one output axis."""
        return layout_text(self.layout, len(self.shape_on(sizes)), sizes, self.name)

    def drawn_in(self, sizes: Sizes) -> Layout:
        """The layout by which the law ties elements: ``layout_on``, all gates one if joint."""
        axes = self.layout_on(sizes)
        return replace(axes, stack=1) if self.joint else axes

    @property
    def formula(self) -> str:
        """The law in one line of text, with the fans in words.

        >>> from initspec import defaults
        >>> print(defaults("haiku", "Linear")["w"].formula)
        truncated normal, mean 0, variance 1 / fan_in, cut at -2 and 2 parent standard deviations, \
variance uncorrected; fan_in = in
        """
        if self.required:
            return f"no default: the caller gives {self.required!r}"
        if self.gates:
            return "by gate " + ", ".join(f"{value:g}" for value in self.gates)
        text = self._scheme.formula
        if self.joint:
            text += "; all gates are one matrix"
        if self._scheme.needs_fans:
            words = self.fan_words()._asdict()
            text += "".join(f"; {fan} = {words[fan]}" for fan in words if fan in text)
        return text + (f"; the row {self.zero_row} is zero" if self.zero_row else "")


@public
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerDefault(Mapping[str, Parameter]):
    """A layer's parameters by name, and where it was learnt what they draw.

    ``evidence`` is ``"run"`` where a test builds the layer and holds it against this row, and
    ``"read"`` where somebody read its source. ``since`` and ``until`` (not included) bound the
    versions that the row is true of; ``version`` is the one looked at. A name may be a pattern,
    ``"norm*.weight"``, that any name that fits finds.

    >>> from initspec import defaults
    >>> list(defaults("keras", "Dense"))
    ['kernel', 'bias', 'lora_kernel_a', 'lora_kernel_b']
    """

    framework: str
    name: str
    kind: str
    version: str
    evidence: str
    source: str
    parameters: Mapping[str, Parameter]
    make: str = ""
    inputs: str = ""
    gate_order: str = ""
    since: str = ""
    until: str = ""
    note: str = ""

    def constructor(self, arguments: str = "") -> str:
        """The line that makes the layer, in words of sizes, with further arguments.

        >>> from initspec import defaults
        >>> defaults("flax", "Dense").constructor("use_bias=False")
        'nn.Dense(out, use_bias=False)'
        """
        line = identifiers(self.make).replace("{layer}", self.name)
        if not arguments:
            return line.replace(", {inits}", "").replace("{inits}", "")
        return line.replace("{inits}", arguments)

    def __getitem__(self, name: str) -> Parameter:
        if name in self.parameters:
            return self.parameters[name]
        for pattern, parameter in self.parameters.items():
            if fnmatchcase(name, pattern):
                return parameter
        raise UnknownName(f"parameter of {self.framework} {self.name}", name, self.parameters)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(fnmatchcase(name, known) for known in self.parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)


def _solved(parameter: Parameter, shape: Shape, sizes: Sizes) -> Sizes:
    """The sizes behind a shape: each axis is linear in the word that it tells."""
    words = parameter.shape.split()
    wide = [word for word in words if word in SPREAD]
    rest = len(shape) - len(words) + len(wide)
    if rest < 0 or (rest and not wide):
        raise LayoutError(_misfit(parameter, shape))
    found, axes, pending = dict(sizes), list(shape), []
    for word in words:
        if word in SPREAD:
            if word != "ones":
                found[word] = tuple(axes[:rest])
            del axes[:rest]
        else:
            pending.append((word, axes.pop(0)))
    for _ in words:  # one axis may need what another one tells
        for word, n in pending:
            unknown = [name for name in names_in(word) if name not in found]
            if len(unknown) == 1:
                low, high = (evaluate(word, {**found, unknown[0]: value}) for value in (840, 1680))
                found[unknown[0]] = round(840 + (n - low) * 840 / (high - low))
    if all(name in found for word, _ in pending for name in names_in(word)) and (
        parameter.shape_on({"k": (), **found}) != shape
    ):
        raise LayoutError(_misfit(parameter, shape))
    return found


def _misfit(parameter: Parameter, shape: Shape) -> str:
    return f"{parameter.name} has the shape ({', '.join(parameter.shape.split())}), not {shape}."


@cache
def _fan_words(parameter: Parameter) -> Fans:
    """Read off numbers: with an own prime for each axis a fan tells which axes it multiplies."""
    axes, *options = (parameter.layout or "o").split(", ")
    layout = Layout(axes.replace("*", "x"), transposed="transposed" in options)
    words = parameter.shape.split()
    parts = dict(option.split("=") for option in options if "=" in option)
    layout = replace(
        layout,
        groups=_PARTS if "groups" in parts else 1,
        stack=_PARTS if "stack" in parts else 1,
    )
    shape = tuple(prime * _PARTS for prime in _PRIMES[: len(words)])
    found = fans(shape, layout, parameter._scheme.fans)
    return Fans(*(_monomial(int(fan), words, shape, parts) for fan in found))  # type: ignore[arg-type]


_PARTS = 101
_PRIMES = (3, 5, 7, 11, 13)


def _monomial(fan: int, words: list[str], shape: Shape, parts: Mapping[str, str]) -> str:
    factors = []
    for word, n in zip(words, shape, strict=True):
        while fan % (n // _PARTS) == 0:
            fan //= n // _PARTS
            factors.append(word)
    for _ in range(len(factors) - round(math.log(max(fan, 1), _PARTS))):  # divided by its parts
        (count,) = parts.values()
        whole = next((i for i, word in enumerate(factors) if word.startswith(f"{count}*")), None)
        if whole is None:
            factors[0] += f"/{count}"
        else:
            factors[whole] = factors[whole].removeprefix(f"{count}*")
    factors = [word for word in factors if word not in ("1", "ones")]
    factors.sort(key=lambda word: word in SPREAD)
    return "*".join(f"({word})" if re.search("[+-]", word) else word for word in factors) or "1"
