"""The law that a layer draws by itself, as a law of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import SpecError
from ..layers.defaults import defaults
from ..readings.call import fixed
from ..spec.scheme import Scheme
from .law import Law
from .parameter import ModelParameter


def default_scheme(
    law: Law,
    names: Mapping[str, float],
    parameter: ModelParameter,
    parameters: Mapping[str, ModelParameter],
) -> Scheme:
    """The scheme of what the tables say that the parameter's layer draws, times ``gain``.

    Raises :class:`SpecError` where no table knows the layer, and for other arguments.
    """
    args, words = law.numbers(names)
    gain = words.pop("gain", 1.0)
    if args or words:
        raise SpecError(f"{law.text}: the layer's own law takes a gain, and nothing else.")
    if not parameter.table:
        layer = parameter.kinds[0] if parameter.kinds else "unknown"
        raise SpecError(f"no table knows what its layer ({layer}) draws: name a scheme.")
    row = defaults(parameter.table, parameter.layer.partition("(")[0])[parameter.entry]
    sizes: dict[str, object] = {}
    if row.bounds is not None:
        sibling = parameters.get(f"{parameter.module}.{row.bounds.name}".lstrip("."))
        if sibling is not None:
            sizes = dict(row.bounds.sizes(sibling.shape, **_groups(sibling)))
    sizes = {**row.sizes(parameter.shape, **{**_groups(parameter), **sizes})}
    scheme = fixed(row.on(sizes)) or row.scheme
    if scheme is None:
        raise SpecError("its layer's own law is none of a single scheme: name one.")
    return scheme if gain == 1.0 else scaled(scheme, gain)


def scaled(scheme: Scheme, gain: float) -> Scheme:
    """The scheme whose values are ``gain`` times as large: also its mean, and bounds that are
    absolute, which a scheme's own gain leaves.

    >>> from initspec import get
    >>> scaled(get("uniform(low=-1, high=1)"), 0.5).on((8,)).support
    (-0.5, 0.5)
    """
    if scheme.distribution in ("array", "custom"):
        raise SpecError(f"a law of the kind {scheme.distribution!r} takes no gain here.")
    changes: dict[str, Any] = {
        word: _times(getattr(scheme, word), gain) for word in ("gain", "mean")
    }
    cut = scheme.truncation
    if cut is not None and cut.unit == "absolute":
        low, high = _times(cut.low, gain), _times(cut.high, gain)
        changes["truncation"] = replace(cut, low=low, high=high)
    return scheme.replace(**changes).folded()


def _times(value: Any, gain: float) -> Any:
    return f"{gain!r} * ({value})" if isinstance(value, str) else value * gain


def _groups(parameter: ModelParameter) -> dict[str, int]:
    if parameter.layout is None or "groups=" not in parameter.layout:
        return {}
    return {"groups": int(parameter.layout.partition("groups=")[2].partition(",")[0])}
