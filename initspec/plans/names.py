"""What the parameters of a code base are called in a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..errors import LayoutError, SpecError, short_repr
from ..public import public
from ..spec.layout import Layout
from ..stream.parts import Part
from .parameter import ModelParameter
from .patterns import Pattern, check_template, renamed

#: What wraps a module leaves these in the names of its parameters.
_WITHIN = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
_BEFORE = ("module.", "base_model.model.", "params.")


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A parameter of another code base: ``here`` is its name there, ``to`` the plan's.

    Captures are carried over, and so is what the first ``**`` stands for. ``layout`` says how that
    code base has the axes, where no table knows the layer. With ``axis`` the tensor holds several
    parameters: a list of names stands for blocks along it, of one size or of sizes that go as
    ``sizes`` do, or of those that the places ``cuts`` part, as a row for padding is; with ``each``
    every place of it is a parameter without that axis, and the place is what ``each`` names.

    >>> from initspec import ModelParameter, Rename
    >>> fused = ModelParameter(name="h.3.qkv.weight", shape=(24, 8))
    >>> names = [f"h.{{layer}}.{part}.weight" for part in "qkv"]
    >>> [p.name for p in Rename(here="h.{layer}.qkv.weight", axis=0, to=names).parameters(fused)]
    ['h.3.q.weight', 'h.3.k.weight', 'h.3.v.weight']
    >>> scanned = ModelParameter(name="layers.kernel", shape=(2, 8, 4))
    >>> each = Rename(here="layers.kernel", axis=0, each="layer", to="h.{layer}.weight")
    >>> [(p.name, p.shape) for p in each.parameters(scanned)]
    [('h.0.weight', (8, 4)), ('h.1.weight', (8, 4))]
    >>> table = ModelParameter(name="wte.weight", shape=(50, 8))
    >>> padded = Rename(here="wte.weight", axis=0, cuts=[1], to=["wte.padding", "wte.weight"])
    >>> [(p.name, p.shape) for p in padded.parameters(table)]
    [('wte.padding', (1, 8)), ('wte.weight', (49, 8))]
    """

    here: str
    to: str | tuple[str, ...]
    layout: str | None = None
    axis: int | None = None
    sizes: tuple[int, ...] = ()
    cuts: tuple[int, ...] = ()
    each: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.to, str):
            object.__setattr__(self, "to", tuple(self.to))
        object.__setattr__(self, "sizes", _whole(self.here, "sizes", self.sizes))
        object.__setattr__(self, "cuts", _whole(self.here, "cuts", self.cuts))
        for value in (self.here, *self._templates):
            if not isinstance(value, str):
                raise SpecError(f"a name is a text, not {short_repr(value)}.")
        extra = () if self.each is None else (self.each,)
        for template in self._templates:
            check_template(Pattern(self.here), template, extra)
        if self.layout is not None:
            Layout.parse(self.layout)
        several = not isinstance(self.to, str) or self.each is not None
        if several != (self.axis is not None) or (self.each and not isinstance(self.to, str)):
            raise SpecError(
                f"the name {self.here!r}: several parameters in one tensor have an axis, and a "
                "list of names along it, or each = a capture for its places."
            )
        if self.sizes and len(self.sizes) != len(self._templates):
            raise SpecError(
                f"the name {self.here!r} has {len(self._templates)} parts and {len(self.sizes)} "
                "sizes."
            )
        if self.cuts and (self.each or self.sizes or len(self.cuts) + 1 != len(self._templates)):
            raise SpecError(
                f"the name {self.here!r}: cuts stand for themselves, without sizes and each, and "
                f"are one fewer than the parts, not {len(self.cuts)} for {len(self._templates)}."
            )
        if list(self.cuts) != sorted(set(self.cuts)):
            raise SpecError(f"the name {self.here!r}: cuts grow, and {list(self.cuts)} do not.")

    @property
    def _templates(self) -> tuple[str, ...]:
        return (self.to,) if isinstance(self.to, str) else self.to

    def parameters(self, parameter: ModelParameter) -> list[ModelParameter] | None:
        """What the plan calls a parameter, or the parameters in it; None where it is not meant.

        Raises :class:`LayoutError` where the axis cannot be divided so.

        >>> from initspec import ModelParameter, Rename
        >>> there = ModelParameter(name="transformer.h.0.weight", shape=(8, 8))
        >>> Rename(here="transformer.**", to="**").parameters(there)[0].name
        'h.0.weight'
        """
        pattern = Pattern(self.here)
        if pattern.match(parameter.name) is None:
            return None
        also = tuple(
            name
            for other in parameter.also
            for name in [renamed(pattern, self._templates[0], other) or other]
        )
        layout = parameter.layout if self.layout is None else self.layout
        parameter = replace(parameter, layout=layout)
        if self.axis is None:
            name = renamed(pattern, self._templates[0], parameter.name)
            return [replace(parameter, name=name or parameter.name, also=also)]
        axis = self._axis(parameter)
        return self._places(parameter, axis) if self.each else self._blocks(parameter, axis)

    def _axis(self, parameter: ModelParameter) -> int:
        ndim, axis = len(parameter.shape), self.axis or 0
        if not -ndim <= axis < ndim:
            raise LayoutError(
                f"the name {self.here!r} divides axis {axis}, and {parameter.name} has the shape "
                f"{parameter.shape}."
            )
        return axis % ndim

    def _blocks(self, parameter: ModelParameter, axis: int) -> list[ModelParameter]:
        part = parameter.part or Part.whole(parameter.shape)
        layout = None if parameter.layout is None else _unstacked(parameter.layout)
        found, start = [], 0
        for stop, template in zip(self._ends(parameter, axis), self._templates, strict=True):
            name = renamed(Pattern(self.here), template, parameter.name)
            found.append(_made(parameter, name, part.block(axis, start, stop), layout))
            start = stop
        return found

    def _ends(self, parameter: ModelParameter, axis: int) -> list[int]:
        """Where each block of an axis ends."""
        size = parameter.shape[axis]
        if self.cuts:
            if size <= self.cuts[-1]:
                raise LayoutError(
                    f"the name {self.here!r} cuts axis {axis} of {parameter.name} "
                    f"{parameter.shape} at {self.cuts[-1]}, which lies outside."
                )
            return [*self.cuts, size]
        shares = self.sizes or (1,) * len(self._templates)
        if size % sum(shares):
            raise LayoutError(
                f"the name {self.here!r} divides axis {axis} of {parameter.name} "
                f"{parameter.shape} as {':'.join(map(str, shares))}, which does not go."
            )
        return [size * sum(shares[: at + 1]) // sum(shares) for at in range(len(shares))]

    def _places(self, parameter: ModelParameter, axis: int) -> list[ModelParameter]:
        part = parameter.part or Part.whole(parameter.shape)
        layout = parameter.layout
        if layout is not None:
            axes, comma, rest = layout.partition(",")
            fits = "." not in axes and len(axes) == len(parameter.shape)
            layout = f"{axes[:axis]}{axes[axis + 1 :]}{comma}{rest}" if fits else layout
        found = []
        for place in range(parameter.shape[axis]):
            words = {str(self.each): str(place)}
            name = renamed(Pattern(self.here), self._templates[0], parameter.name, words)
            found.append(_made(parameter, name, part.at(axis, place), layout))
        return found


def _whole(here: str, word: str, value: object) -> tuple[int, ...]:
    """Whole numbers above zero: a list of them, or one alone."""
    numbers = (value,) if isinstance(value, int) else value
    if not isinstance(numbers, (tuple, list)) or not all(
        isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in numbers
    ):
        raise SpecError(
            f"the name {here!r}: {word} are whole numbers above zero, not {short_repr(value)}."
        )
    return tuple(numbers)


def _made(
    parameter: ModelParameter, name: str | None, part: Part, layout: str | None
) -> ModelParameter:
    return replace(
        parameter,
        name=name or parameter.name,
        part=part,
        held=parameter.held or parameter.shape,
        shape=part.shape,
        layout=layout,
        also=(),
    )


def _unstacked(layout: str) -> str:
    """The layout of one of the parts of a stack."""
    return str(replace(Layout.parse(layout), stack=1))


def logical(parameter: ModelParameter, renames: Iterable[Rename]) -> list[ModelParameter]:
    """What a plan calls a parameter, or the parameters in it: by each rename in its turn."""
    found = [parameter]
    for rename in renames:
        found = [new for one in found for new in (rename.parameters(one) or [one])]
    return found


def unwrapped(names: Sequence[str]) -> list[str]:
    """The names without what wrappers put into them, with dots.

    A prefix goes where every name has it, as DistributedDataParallel's ``module.``; what
    ``torch.compile`` and FSDP put between goes wherever it stands.

    >>> unwrapped(["module._orig_mod.wte.weight", "module._orig_mod.lm_head.weight"])
    ['wte.weight', 'lm_head.weight']
    >>> unwrapped(["params/wte/embedding"])
    ['wte.embedding']
    """
    plain = [name.replace("/", ".") for name in names]
    for word in _WITHIN:
        plain = [name.replace(word, "") for name in plain]
    while plain:
        prefix = next((p for p in _BEFORE if all(name.startswith(p) for name in plain)), None)
        if prefix is None:
            break
        plain = [name.removeprefix(prefix) for name in plain]
        if prefix == "base_model.model.":
            plain = [name.replace(".base_layer.", ".") for name in plain]
    return plain
