"""Fans in words of sizes: the rules of fans, counted with symbols in place of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..errors import LayoutError
from ..spec.fan_rules import RULES, Axes, Fans
from ..spec.layout import Layout, has_fans
from .sizes import SPREAD


@dataclass(frozen=True, slots=True)
class Product:
    """A product of sizes: the exponent of each by its name, those of a quotient below zero.

    It can be multiplied and divided by a product and by the number 1, which is what the rules of
    fans do with sizes. A sum is one size, in parentheses.

    >>> print(Product.of("in/groups") * Product.of("k"), Product.of("4*hidden") // Product.of("4"))
    in/groups*k hidden
    """

    exponents: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, word: str) -> Product:
        """The product that a word of a shape says: ``"in/groups"``, ``"3*hidden"``, ``"1"``."""
        if re.search("[+-]", word):
            return cls({f"({word})": 1})
        product = cls()
        for sign, name in re.findall(r"([*/]?)([^*/]+)", word):
            if name not in ("1", "ones"):
                product = product._times(cls({name: 1}), -1 if sign == "/" else 1)
        return product

    def _times(self, other: Product | int, sign: int) -> Product:
        if not isinstance(other, Product):
            return self if other == 1 else NotImplemented
        exponents = dict(self.exponents)
        for name, n in other.exponents.items():
            exponents[name] = exponents.get(name, 0) + sign * n
        return Product({name: n for name, n in exponents.items() if n})

    def __mul__(self, other: Product | int) -> Product:
        return self._times(other, 1)

    __rmul__ = __mul__

    def __floordiv__(self, other: Product | int) -> Product:
        return self._times(other, -1)

    def __str__(self) -> str:
        return self.text(tuple(self.exponents))

    def text(self, order: Sequence[str]) -> str:
        """The sizes in this order, numbers first, kernels last, and divisors behind the first.

        >>> (Product.of("hidden") * Product.of("3")).text(("hidden", "3"))
        '3*hidden'
        """
        ranked = sorted(order, key=lambda name: _KERNELS.get(name, -name.isdecimal()))
        above = [name for name in ranked for _ in range(self.exponents.get(name, 0))]
        below = [name for name, n in self.exponents.items() for _ in range(-n)]
        first, *rest = above or ["1"]
        return "*".join(["/".join([first, *below]), *rest])


#: The words that stand for several axes, in the order in which they end a product.
_KERNELS = {name: place for place, name in enumerate(SPREAD, 1)}


@cache
def fan_words(shape: str, layout: str | None, rule: str) -> Fans:
    """The fans of a shape in words, by one of the rules of :mod:`initspec.spec.fan_rules`.

    Raises :class:`LayoutError` where the tensor has no input axis, as a bias.

    >>> fan_words("out in/groups k", "oi*, groups=groups", "torch")
    Fans(fan_in='in/groups*k', fan_out='out*k')
    """
    letters, *options = (layout or "o" * len(shape.split())).split(", ")
    letters = letters.replace("*", "x")
    words: Any = tuple(map(Product.of, shape.split()))
    parts = dict(option.split("=") for option in options if "=" in option)
    transposed = "transposed" in options
    (count,) = parts.values() or ("1",)
    axes = Axes(
        shape=words,
        letters=letters,
        roles=Layout(letters).roles((1,) * len(words)),
        parts=Product.of(count),  # type: ignore[arg-type]
        divided="in" if transposed and "groups" in parts else "out",
        transposed=transposed,
    )
    if not has_fans(axes.roles, rule):
        raise LayoutError(f"a parameter of the shape ({', '.join(shape.split())}) has no fans.")
    order = tuple(dict.fromkeys(name for word in words for name in word.exponents))
    counted: Any = RULES[rule](axes)
    text: Any = (n.text(order) if isinstance(n, Product) else str(n) for n in counted)
    return Fans(*text)
