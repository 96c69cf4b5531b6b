"""What each framework's layers draw by default: the rows of ``initspec/layers/tables``.

A table is a TOML file for each framework. A row, ``[[layer]]``, names layers that draw alike, their
``kind`` (``tables/kinds.toml``), how one is made, and for each parameter its role, its scheme and
its shape, in words of sizes: ``"out in/groups k"``. ``k`` stands for all sizes of a kernel, in a
formula for their product, and ``*`` in a layout for as many spatial axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from ..errors import SpecError, UnknownName
from ..public import public
from ..spec.distribution import Distribution
from ..spec.fan_rules import Fans, Shape
from ..spec.layout import Layout, checked_shape
from ..spec.scheme import Scheme
from ..spec.values import Values
from .fan_words import fan_words
from .sizes import Sizes, evaluate, identifiers, layout_on, shape_on, size_of, solved


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
    initializer, ``second_row`` the role of its second row, where it holds two vectors, and
    ``called`` the layout in which the layer calls it, where that differs.

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
    second_row: str = ""
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
            counts = {fan: evaluate(n, sizes, self.name) for fan, n in self.counted.items()}
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
        return solved(self.shape, checked_shape(given), sizes, self.name)

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
        return fan_words(self.shape, self.layout, self._scheme.fans)

    @property
    def counted(self) -> Mapping[str, str]:
        """The fans that the law hangs on, by name and in words: none, one or both.

        >>> from initspec import defaults
        >>> defaults("torch", "Conv2d")["weight"].counted
        {'fan_in': 'in/groups*k'}
        """
        if self.scheme is None or not self.scheme.needs_fans:
            return {}
        words = self.fan_words()._asdict()
        asked = {"FAN_IN": ("fan_in",), "FAN_OUT": ("fan_out",)}
        return {fan: words[fan] for fan in asked.get(self.scheme.mode or "", tuple(words))}

    @property
    def rule(self) -> tuple[object, ...]:
        """What parameters have in common that draw by one rule, whatever their shapes are."""
        fans = tuple(self.counted.items())
        return self.scheme, fans, self.joint, self.gates, self.zero_row, self.required

    @property
    def always_zero(self) -> bool:
        """Whether it starts as zeros."""
        constant = self.scheme is not None and self.scheme.distribution == "constant"
        return constant and self._scheme.value == 0

    def shape_on(self, sizes: Sizes) -> Shape:
        """The shape for these sizes.

        >>> from initspec import defaults
        >>> defaults("torch", "Conv1d")["weight"].shape_on(
        ...     {"in": 16, "out": 48, "groups": 4, "k": (5,)}
        ... )
        (48, 4, 5)
        """
        return shape_on(self.shape, sizes, self.name)

    def layout_on(self, sizes: Sizes) -> Layout:
        """The roles of the axes, groups and stack resolved; of a vector one output axis."""
        return layout_on(self.layout, len(self.shape_on(sizes)), sizes, self.name)

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
        text += "".join(f"; {fan} = {words}" for fan, words in self.counted.items())
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
