"""Which axis of a tensor plays which role, and the fans that follow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from ..errors import LayoutError, UnknownName, short_repr
from ..public import public
from . import layer_layouts
from .arguments import plain, text
from .fan_rules import BY_SIZE, OF_VECTORS, RULES, Axes, Fans, Shape
from .traced import outside_programs

__all__ = ["ROLES", "Fans", "Layout", "Shape", "fans", "grouped_role", "layers"]

#: One letter for one role. Letters may repeat: ``"ioo"`` has two output axes.
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "i": "in",
        "o": "out",
        "d": "spatial",
        "h": "spatial",
        "w": "spatial",
        "x": "spatial",
        "g": "group",
        "n": "head",
        "s": "stack",
        "b": "batch",
        "v": "vocabulary",
    }
)


@public
@dataclass(frozen=True, slots=True)
class Layout:
    """The roles of a tensor's axes.

    ``axes`` has one letter for each axis: ``i`` in, ``o`` out, ``d h w x`` spatial, ``g`` group,
    ``n`` head (a part of the in or out axis that follows it), ``s`` stack (fused independent
    parameters), ``b`` batch (experts), ``v`` vocabulary (an input looked up, one entry at a time).
    ``groups`` says how many groups the out axis counts (the in axis, where ``transposed``), and
    ``stack`` how many fused parameters it holds: q, k and v, or the gates of a cell.

    >>> Layout.parse("oihw, groups=4")
    Layout('oihw, groups=4')
    >>> Layout.parse("keras.DepthwiseConv2D")
    Layout('hwgo')
    """

    axes: str
    groups: int = 1
    stack: int = 1
    transposed: bool = False

    def __post_init__(self) -> None:
        text("a layout's axes", self.axes, LayoutError)
        for letter in self.axes:
            if letter not in ROLES:
                known = ", ".join(f"{key} ({role})" for key, role in ROLES.items())
                raise LayoutError(
                    f"layout {self.axes!r} has the axis {letter!r}, which means nothing. "
                    f"Known: {known}; or a layer such as 'torch.Conv2d'."
                )
        for field in ("groups", "stack"):
            value = plain(getattr(self, field))
            if not isinstance(value, int) or value < 1:
                raise LayoutError(
                    f"layout {self.axes!r}: {field} is at least 1, not {short_repr(value)}."
                )
            object.__setattr__(self, field, value)
        needs = "i" if self.transposed and self.groups > 1 else "o"
        if (self.groups > 1 or self.stack > 1) and self.axes.count(needs) != 1:
            raise LayoutError(
                f"layout {self.axes!r} cannot hold groups or a stack: it needs one {needs!r} axis."
            )
        if self.groups > 1 and self.stack > 1:
            raise LayoutError(f"layout {self.axes!r} has both groups and a stack; give one.")

    def __str__(self) -> str:
        parts = [self.axes]
        parts += [f"groups={self.groups}"] if self.groups > 1 else []
        parts += [f"stack={self.stack}"] if self.stack > 1 else []
        parts += ["transposed"] if self.transposed else []
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"Layout({str(self)!r})"

    @classmethod
    def parse(cls, text: str, ndim: int | None = None) -> Layout:
        """Read ``"oihw"``, ``"oihw, groups=4"``, ``"oi, stack=3"`` or a layer: ``"torch.Conv2d"``.

        A layer that takes any number of spatial axes, such as ``"flax.Conv"``, has those that a
        tensor of ``ndim`` axes leaves, or two.

        Raises :class:`LayoutError` where the text cannot be read, or where a layer's groups must
        be said and are not; :class:`UnknownName` for a layer that is in none of the tables.

        >>> Layout.parse("torch.Conv2d, groups=4")
        Layout('oihw, groups=4')
        """
        if not isinstance(text, str):
            raise LayoutError(
                f"a layout is a text, such as 'oihw' or 'torch.Conv2d', not {short_repr(text)}."
            )
        return _parsed(text, ndim)

    @classmethod
    def _parse(cls, text: str, ndim: int | None) -> Layout:
        head, *options = [part.strip() for part in text.split(",")]
        base = cls._layer(head, ndim, options) if "." in head else cls(head)
        fields: dict[str, Any] = {
            "groups": base.groups,
            "stack": base.stack,
            "transposed": base.transposed,
        }
        for option in options:
            name, _, value = option.partition("=")
            if name == "transposed" and not value:
                fields[name] = True
            elif name in ("groups", "stack") and value.isdecimal():
                fields[name] = int(value)
            else:
                raise LayoutError(
                    f"layout {text!r}: cannot read {option!r}; "
                    "after the axes come 'groups=4', 'stack=3' or 'transposed'."
                )
        return cls(base.axes, **fields)

    @classmethod
    def _layer(cls, name: str, ndim: int | None, options: Sequence[str]) -> Layout:
        axes = layer_layouts.find(name, ndim)
        if axes.grouped_by_input and not any(word.startswith("groups=") for word in options):
            # Its kernel does not say how many groups there are: one for each output, as where the
            # channel multiplier is one.
            return cls(cls.parse(axes.text).axes.replace("io", "og"))
        return cls.parse(axes.text)

    @classmethod
    def of(cls, layout: Layout | str | None, ndim: int, *, out_first: bool = False) -> Layout:
        """The layout given, or the usual one for ``ndim`` axes.

        The usual one is ``(spatial..., in, out)``, as Keras, TensorFlow and JAX store it, or with
        ``out_first`` ``(out, in, spatial...)``, as PyTorch does.

        >>> Layout.of(None, 4), Layout.of(None, 4, out_first=True)
        (Layout('hwio'), Layout('oihw'))
        """
        if layout is None:
            return _usual(ndim, out_first)
        if isinstance(layout, Layout):
            return layout
        checked_layout(layout)
        return cls.parse(layout, ndim)

    def roles(self, shape: Shape) -> tuple[str, ...]:
        """The role of each axis of ``shape``, heads resolved; raises if the layout misfits.

        >>> Layout("ino").roles((64, 8, 16))
        ('in', 'out', 'out')
        """
        return _roles(self, tuple(shape))


class Unnamed(Layout):
    """The layout of a tensor of one axis, or of none, whose axis nobody has named.

    Whether it counts inputs or outputs is not known: it has no fans. It is not equal to the layout
    of the same letters that a caller writes.

    >>> Layout.of(None, 1) == Layout("o"), Layout.of(None, 1)
    (False, Layout('o'))
    """

    __slots__ = ()


_parsed = lru_cache(maxsize=1024)(Layout._parse)


@cache
def layers() -> Mapping[str, Layout]:
    """The layouts of the frameworks' layers by name: ``layers()["torch.Conv2d"]``.

    A depthwise kernel that does not tell its groups, such as Haiku's, has one for each output;
    ``"haiku.DepthwiseConv2D, groups=32"`` says how many there are where a channel multiplier is not
    one.
    """
    known = (name for stem in layer_layouts.stems() for name in layer_layouts.names(stem))
    return MappingProxyType({name: Layout.parse(name) for name in known})


@cache
def _usual(ndim: int, out_first: bool) -> Layout:
    if ndim < 2:
        return Unnamed("o" * ndim)
    space = layer_layouts.spatial(ndim - 2)
    return Layout("oi" + space if out_first else space + "io")


@lru_cache(maxsize=4096)
def _roles(layout: Layout, shape: Shape) -> tuple[str, ...]:
    if len(layout.axes) != len(shape):
        raise LayoutError(
            f"layout '{layout}' names {len(layout.axes)} axes, and the shape {shape} has "
            f"{len(shape)}: give one letter for each axis."
        )
    roles = [ROLES[letter] for letter in layout.axes]
    for axis in reversed(range(len(roles))):
        if roles[axis] == "head":
            following = [role for role in roles[axis + 1 :] if role in ("in", "out")]
            if not following:
                raise LayoutError(
                    f"layout '{layout}' has a head axis 'n' with no 'i' or 'o' after it."
                )
            roles[axis] = following[0]
    divided, parts = grouped_role(layout), layout.groups * layout.stack
    size = math.prod(n for n, role in zip(shape, roles, strict=True) if role == divided)
    if parts > 1 and size % parts:
        raise LayoutError(
            f"layout '{layout}' does not fit the shape {shape}: the {divided} axis of {size} "
            f"is not divisible by {parts}."
        )
    return tuple(roles)


def grouped_role(layout: Layout) -> str:
    """The role of the axis that counts over groups or stacked parameters."""
    return "in" if layout.transposed and layout.groups > 1 else "out"


@outside_programs
def fans(shape: Shape, layout: Layout | str | None = None, rule: str = "true") -> Fans:
    """The fans of a weight: multiplications for each output, and for each input.

    ``fan_in = in * K`` and ``fan_out = out * K`` with ``K`` the product of the spatial axes, each
    counted within one group and one stacked parameter; an embedding's ``fan_in`` is one. Strides
    and borders are not counted. A side that a written layout does not name counts one: ``"i"`` on
    ``(n,)`` has ``fan_in = n``.

    The other rules, of :data:`initspec.spec.fan_rules.RULES`, are what the frameworks count, also
    where it is wrong; dialects use them. ``"naive"`` takes whole axes, whatever groups and stacks
    they hold, and swaps a transposed convolution's fans; ``"torch"`` goes by PyTorch's places.

    Raises :class:`LayoutError` for a vector or a scalar whose layout is not given, for a bias has
    no fans (but by the rules of frameworks that count them), and :class:`UnknownName` for a rule
    that does not exist.

    >>> fans((64, 128, 3, 3), "torch.ConvTranspose2d")
    Fans(fan_in=576, fan_out=1152)
    >>> fans((64, 128, 3, 3), "torch.ConvTranspose2d", rule="naive")
    Fans(fan_in=1152, fan_out=576)
    """
    if text("a fan rule", rule) not in RULES:
        raise UnknownName("fan rule", rule, RULES, listed="`initspec fans --help` names all.")
    shape = checked_shape(shape)
    given = Layout.of(layout, len(shape))
    roles = given.roles(shape)
    if isinstance(given, Unnamed) and rule not in (*BY_SIZE, *OF_VECTORS):
        raise LayoutError(
            f"a tensor of shape {shape} with layout '{given}' has no fans: it needs an input and "
            "an output axis. Name them with layout=, where a side that is not named counts one "
            "('i', 'o'), or use a scheme without fans, such as zeros or normal(std=0.02)."
        )
    parts = given.groups * given.stack
    return RULES[rule](
        Axes(shape, given.axes, roles, parts, grouped_role(given), given.transposed, given.groups)
    )


def has_fans(roles: Sequence[str], rule: str) -> bool:
    """Whether axes of these roles have fans by a rule: an input and an output, for most."""
    inputs = {"in", "vocabulary", "group"} & set(roles)
    return rule in BY_SIZE or bool(inputs and "out" in roles)


_MOST = 2**64


def checked_shape(shape: Any) -> Shape:
    """A shape as a tuple of sizes; raises :class:`LayoutError` for what is none."""
    if type(shape) is tuple:
        for n in shape:
            if type(n) is not int or not 0 <= n <= _MOST:
                break
        else:
            return shape
    # An array has an __index__, and uses it only where it has one element and no axis.
    single = hasattr(shape, "__index__") and not getattr(shape, "ndim", 0)
    try:
        sizes = tuple(n.__index__() for n in ((shape,) if single else shape))
    except (TypeError, AttributeError, ValueError):
        sizes = (-1,)
    if any(not 0 <= n <= 2**64 for n in sizes):
        raise LayoutError(f"a shape is a tuple of sizes of at least 0, not {short_repr(shape)}.")
    return sizes


def checked_layout(layout: Any) -> Layout | str | None:
    """A layout, the text of one, or None; raises :class:`LayoutError` for anything else."""
    if layout is None or isinstance(layout, (str, Layout)):
        return layout
    raise LayoutError(
        "a layout is a text, such as 'oihw' or 'torch.Conv2d', or a Layout, not "
        f"{short_repr(layout)}."
    )
