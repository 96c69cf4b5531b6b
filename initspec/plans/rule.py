"""A rule of a plan: which parameters it selects, and the law that they get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..errors import SpecError, short_repr
from ..plain_text import escaped
from ..public import public
from .condition import Condition
from .law import Law
from .parameter import ModelParameter
from .patterns import Pattern


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Parameters and their law.

    A parameter is selected where all that is given holds: its name matches one of ``match``, its
    layer is of one of ``kind`` (the class, or a class above it), its last segment is one of
    ``param``, its role in the layer one of ``role``, its number of axes ``ndim``, and ``when`` is
    not zero (an expression over captures and symbols). ``buffers`` selects buffers in place of
    parameters.

    Selected parameters get ``law``; or they are ``given``, a text that says by whom, and stay as
    they are. ``layout`` stands in place of the layer's own, ``fans_of`` names the sibling whose
    fans count, ``dtype`` is what the parameter must be of. An ``optional`` rule may select
    nothing.

    >>> from initspec import ModelParameter, Rule
    >>> rule = Rule(match=("**.h.{layer}.*.weight",), law="normal(std=0.02)")
    >>> rule.selects(ModelParameter(name="h.3.mlp.weight", shape=(2, 2)))
    {'layer': 3}
    """

    match: str | tuple[str, ...] = ()
    kind: str | tuple[str, ...] = ()
    param: str | tuple[str, ...] = ()
    role: str | tuple[str, ...] = ()
    ndim: int | None = None
    when: str | None = None
    buffers: bool = False
    law: str | None = None
    given: str | None = None
    layout: str | None = None
    fans_of: str | None = None
    dtype: str | None = None
    optional: bool = False
    note: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for field in ("match", "kind", "param", "role"):
            object.__setattr__(self, field, _texts(field, getattr(self, field)))
        for field in ("when", "law", "given", "layout", "fans_of", "dtype", "note", "source"):
            value = getattr(self, field)
            if value is not None and not isinstance(value, str):
                raise SpecError(f"{field} is a text, not {short_repr(value)}.")
        for field in ("buffers", "optional"):
            if not isinstance(getattr(self, field), bool):
                raise SpecError(
                    f"{field} is true or false, not {short_repr(getattr(self, field))}."
                )
        if self.ndim is not None and (
            isinstance(self.ndim, bool) or not isinstance(self.ndim, int)
        ):
            raise SpecError(f"ndim is a whole number, not {short_repr(self.ndim)}.")
        if not (self.match or self.kind or self.param or self.role or self.ndim is not None):
            raise SpecError(
                "it selects by nothing: give match, kind, param, role or ndim; match = '**' "
                "selects every parameter."
            )
        if (self.law is None) == (self.given is None):
            both = "both" if self.law is not None else "neither"
            raise SpecError(f"it gives law or given, and {both} stands here.")
        for pattern in self.match:
            Pattern(pattern)
        if self.law is not None:
            Law(self.law)
        if self.when is not None:
            Condition.parse(self.when)

    @property
    def captures(self) -> tuple[str, ...]:
        """The names of the numbers that its patterns capture.

        >>> from initspec import Rule
        >>> Rule(match="h.{layer}.**", law="zeros").captures
        ('layer',)
        """
        return tuple(dict.fromkeys(w for text in self.match for w in Pattern(text).captures))

    def selects(self, parameter: ModelParameter) -> Mapping[str, int] | None:
        """The captured numbers where the parameter is selected, ``when`` aside; else None.

        >>> from initspec import ModelParameter, Rule
        >>> Rule(ndim=2, law="zeros").selects(ModelParameter(name="bias", shape=(4,)))
        """
        if self.buffers != parameter.buffer:
            return None
        if self.ndim is not None and self.ndim != len(parameter.shape):
            return None
        if self.param and not any(fnmatchcase(parameter.leaf, word) for word in self.param):
            return None
        if self.role and parameter.role not in self.role:
            return None
        if self.kind and not any(
            fnmatchcase(kind, word) for word in self.kind for kind in parameter.kinds
        ):
            return None
        if not self.match:
            return {}
        for text in self.match:
            captured = Pattern(text).match(parameter.name)
            if captured is not None:
                return captured
        return None

    def __str__(self) -> str:
        parts = []
        for field in ("match", "kind", "param", "role"):
            words = getattr(self, field)
            if words:
                parts.append(f"{field} = {words[0] if len(words) == 1 else list(words)}")
        parts += [f"ndim = {self.ndim}"] if self.ndim is not None else []
        parts += [f"when = {self.when}"] if self.when else []
        return escaped(", ".join(parts))


def _texts(field: str, value: object) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, (tuple, list)) or not all(isinstance(word, str) for word in words):
        raise SpecError(f"{field} is a text or a list of texts, not {short_repr(value)}.")
    return tuple(words)
