"""A scheme as a formula, in text and in LaTeX."""

from __future__ import annotations

import math
from typing import Any

from .expression import Expression
from .fields import SchemeFields
from .truncation import Truncation

_FANS = {
    "FAN_IN": ("{i}", "{i}"),
    "FAN_OUT": ("fan_out", r"\mathrm{fan_{out}}"),
    "FAN_AVG": ("({i} + fan_out)", r"{i} + \mathrm{{fan_{{out}}}}"),
    "FAN_GEO_AVG": ("sqrt({i} * fan_out)", r"\sqrt{{{i}\,\mathrm{{fan_{{out}}}}}}"),
}


def text(scheme: SchemeFields) -> str:
    """The law in one line.

    >>> from initspec import get
    >>> text(get("he_normal"))
    'truncated normal, mean 0, variance 2 / fan_in, cut at -2 and 2 parent standard deviations, \
variance corrected'
    """
    scheme = scheme.folded()
    if scheme.distribution == "uniform":
        if scheme.low is not None and scheme.high is not None:
            return f"uniform on ({_short(scheme.low)}, {_short(scheme.high)})"
        return (
            f"uniform about {_short(scheme.mean)}, variance {_variance(scheme)}, "
            "limit sqrt(3 * variance)"
        )
    if scheme.distribution == "normal":
        return f"normal, mean {_short(scheme.mean)}, variance {_variance(scheme)}"
    if scheme.distribution == "truncated_normal":
        cut = scheme.truncation or Truncation()
        return (
            f"truncated normal, mean {_short(scheme.mean)}, variance {_variance(scheme)}, cut at "
            f"{_short(cut.low)} and {_short(cut.high)}{_UNITS[cut.unit]}, {_correction(cut)}"
        )
    gain = _gain(scheme) if "gain" in scheme.texts else f"{scheme.gain_total:g}"
    across = "in" if scheme.zeros_per == "out" else "out"
    words = {name: _short(getattr(scheme, name)) for name in ("value", "sparsity", "std")}
    line = _PLAIN[scheme.distribution].format(scheme=scheme, across=across, **words)
    return line if gain == "1" else f"{line}, times {gain}"


_UNITS = {
    "parent": " parent standard deviations",
    "result": " standard deviations of the result",
    "absolute": " (absolute)",
}

_PLAIN = {
    "constant": "always {value}",
    "orthogonal": "a random orthogonal matrix (Haar), all axes but out against out",
    "delta_orthogonal": "a random orthogonal matrix (in, out) at the middle tap, zero elsewhere",
    "identity": "one where input and output match, zero elsewhere",
    "dirac": "one at the middle tap where input and output match in each group, zero elsewhere",
    "bilinear": "the weights of linear interpolation where input and output match, zero elsewhere",
    "sparse": "ceil({sparsity} * {across}puts) zeros for each {scheme.zeros_per}put unit, "
    "the rest normal, mean 0, standard deviation {std}",
    "array": "a given array",
    "custom": "{scheme.custom!r}",
}


def _correction(cut: Truncation) -> str:
    if isinstance(cut.variance, str):
        return f"variance {cut.variance}"
    return f"parent variance times {cut.variance:g}"


def _number(value: float) -> str:
    return f"{value:.10g}"


def _short(value: Any) -> str:
    """A number in few digits, or its text."""
    return value if isinstance(value, str) else "None" if value is None else f"{value:g}"


def _tex(value: Any) -> str:
    """A number in few digits, or its text, in LaTeX."""
    return Expression.parse(value).latex if isinstance(value, str) else _short(value)


def _gain(scheme: SchemeFields) -> str:
    """What multiplies the standard deviation; a text where the scheme has one there."""
    if not {"gain", "slope"} & scheme.texts.keys():
        return _number(scheme.gain_total)
    squares = [] if scheme.nonlinearity is None else [_squared_gain(scheme)]
    roots = [square if square.startswith("sqrt") else f"sqrt({square})" for square in squares]
    return " * ".join([f"({scheme.gain})", *roots])


def _squared_gain(scheme: SchemeFields) -> str:
    """The square of the nonlinearity's gain, in digits or in terms of a slope that is a text."""
    if "slope" in scheme.texts:
        return f"2 / (1 + ({scheme.slope})^2)"
    return _number(scheme.squared_gain)


def _numerator(scheme: SchemeFields) -> str:
    """What the variance has above its fan: a number, or a text where the scheme has one there."""
    twice = 1.0
    if scheme.mode == "FAN_AVG":  # factor / (sum / 2)**power is 2**power * factor / sum**power
        twice = 2.0 if isinstance(scheme.power, str) else math.pow(2, scheme.power)
    if not {"factor", "gain", "slope"} & scheme.texts.keys():
        return _number(twice * scheme.variance_factor)
    level, parts = twice, list[str]()
    for name, value in (("factor", scheme.factor), ("gain", scheme.gain)):
        if isinstance(value, str):
            parts.append(f"({value})" + "^2" * (name == "gain"))
        else:
            level *= value * value if name == "gain" else value
    if "slope" in scheme.texts:
        parts.append(f"({_squared_gain(scheme)})")
    else:
        level *= scheme.squared_gain
    return " * ".join([*([] if level == 1 else [_number(level)]), *parts])


def _variance(scheme: SchemeFields) -> str:
    if scheme.mode is None:
        if isinstance(scheme.std, str):
            return f"({scheme.std})^2"
        return _number((scheme.std or 0.0) ** 2)
    n = _FANS[scheme.mode][0].format(i="(fan_in + 1)" if scheme.bias_unit else "fan_in")
    return f"{_numerator(scheme)} / {n}{_power(scheme)}"


def _power(scheme: SchemeFields) -> str:
    if scheme.power == 1:
        return ""
    return f"^({scheme.power})" if isinstance(scheme.power, str) else f"^{scheme.power:g}"


def latex(scheme: SchemeFields) -> str:
    r"""The law in LaTeX, without delimiters.

    >>> from initspec import get
    >>> print(latex(get("uniform", -1.0, 1.0)))
    w \sim \mathcal{U}(-1, 1)
    """
    scheme = scheme.folded()
    variance = rf"\sigma^2 = {_latex_variance(scheme)}"
    mean = _tex(scheme.mean)
    match scheme.distribution:
        case "constant":
            return f"w = {_tex(scheme.value)}"
        case "normal":
            return rf"w \sim \mathcal{{N}}({mean}, \sigma^2),\ {variance}"
        case "uniform" if scheme.low is not None and scheme.high is not None:
            return rf"w \sim \mathcal{{U}}({_tex(scheme.low)}, {_tex(scheme.high)})"
        case "uniform":
            sides = r"-\ell, \ell" if scheme.mean == 0 else rf"{mean} - \ell, {mean} + \ell"
            return rf"w \sim \mathcal{{U}}({sides}),\ \ell = \sqrt{{3\sigma^2}},\ {variance}"
        case "truncated_normal":
            return _latex_truncated(scheme, mean, variance)
        case "sparse":
            count, lines = ("r", "rows } i") if scheme.zeros_per == "out" else ("c", "columns } j")
            return (
                rf"w_{{ij}} = 0 \text{{ for }} \lceil {_tex(scheme.sparsity)}\,{count} \rceil "
                rf"\text{{ of the }} {count} \text{{ {lines},\ "
                rf"\text{{else }} w_{{ij}} \sim \mathcal{{N}}(0, {_square_of_std(scheme)})"
            )
    gain = _gain(scheme)
    times = "" if gain == "1" else _times(gain)
    return {
        "array": rf"w = {times}\text{{given}}",
        "custom": rf"w = {times}\text{{custom}}",
        "orthogonal": rf"W = {times}Q,\ Q \sim \mathrm{{Haar}},\ Q^\top Q = I",
        "delta_orthogonal": rf"W_{{c}} = {times}Q,\ Q \sim \mathrm{{Haar}},\ W_{{k \ne c}} = 0",
        "identity": rf"W = {times}I",
        "dirac": rf"W_{{k,i,o}} = {times}[k = c]\,[i = o]",
        "bilinear": rf"W_{{k,i,o}} = {times}[i = o]\prod_a \left(1 - |k_a - c_a| / f_a\right)",
    }[scheme.distribution]


def _latex_variance(scheme: SchemeFields) -> str:
    if scheme.mode is None:
        return _square_of_std(scheme)
    fan_in = r"\mathrm{fan_{in}}"
    n = _FANS[scheme.mode][1]
    n = n.format(i=rf"({fan_in} + 1)" if scheme.bias_unit else fan_in) if "{i}" in n else n
    if scheme.power != 1:
        whole = n if scheme.mode in ("FAN_IN", "FAN_OUT") else rf"\left({n}\right)"
        n = rf"{whole}^{{{_tex(scheme.power)}}}"
    return rf"\frac{{{Expression.parse(_numerator(scheme)).latex}}}{{{n}}}"


def _square_of_std(scheme: SchemeFields) -> str:
    if isinstance(scheme.std, str):
        return Expression.parse(f"({scheme.std})^2").latex
    return _number(scheme.std or 0.0) + "^2"


def _latex_truncated(scheme: SchemeFields, mean: str, variance: str) -> str:
    cut = scheme.truncation or Truncation()
    law = rf"w \sim \mathcal{{N}}({mean}, \tau^2)"
    unit = {"parent": r"\tau", "result": r"\sigma", "absolute": ""}[cut.unit]
    low, high = (_bound(bound, unit) for bound in (cut.low, cut.high))
    shifted = "w" if scheme.mean == 0 or cut.unit == "absolute" else f"w - {mean}"
    bounds = rf"{low} \le {shifted} \le {high}"
    if cut.variance == "corrected":
        parent = r"\tau \text{ such that } \mathrm{Var}(w) = \sigma^2"
    elif cut.variance == "uncorrected":
        parent = r"\tau = \sigma"
    else:
        parent = rf"\tau^2 = {cut.variance}\,\sigma^2"
    return rf"{law} \text{{ given }} {bounds},\ {parent},\ {variance}"


def _times(text: str) -> str:
    """A text in LaTeX, as it stands before what it multiplies."""
    return Expression.parse(f"({text}) * Q").latex.removesuffix(r"\mathit{Q}")


def _bound(value: Any, unit: str) -> str:
    if isinstance(value, str):
        return (_times(value) if unit else _tex(value)) + unit
    return {"inf": r"\infty", "-inf": r"-\infty"}.get(f"{value:g}", f"{value:g}") + unit
