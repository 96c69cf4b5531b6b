"""A law in words."""

from __future__ import annotations

from .distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from .tensor_laws import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil


def cut_in_words(law: Distribution) -> str:
    if not isinstance(law, TruncatedNormal):
        return ""
    return f"cut at {law.low:g} and {law.high:g} standard deviations of its parent"


def family(law: Distribution) -> str:
    match law:
        case TruncatedNormal():
            return f"a normal law {cut_in_words(law)}"
        case Normal() | Uniform():
            return f"a {law.kind} law"
        case Constant():
            return f"always {law.value:g}"
        case Orthogonal() | DeltaOrthogonal():
            matrix = f"an orthogonal matrix of {law.rows} by {law.columns}"
            return f"{law.count} times {matrix}" if law.count > 1 else matrix
        case Stencil():
            return "a fixed pattern"
        case Given():
            return "a given array"
        case Sparse():
            return f"a matrix with {law.zeros} zeros in the {law.length} weights of each {law.unit}"
    return repr(law)


# ------------------------------------------------------------------------------------ in words


def described(law: Distribution) -> str:
    """A law in a few words and numbers.

    >>> described(TruncatedNormal(0.0, 0.02, -2.0, 2.0))
    'normal cut at -2 and 2 parent stds, std 0.0175925'
    """
    match law:
        case Constant():
            return f"always {law.value:.6g}"
        case Uniform():
            return f"uniform on ({law.low:.6g}, {law.high:.6g})"
        case Normal():
            return f"normal, {_mean(law)}std {law.std:.6g}"
        case TruncatedNormal():
            cut = f"normal cut at {law.low:.6g} and {law.high:.6g} parent stds"
            return f"{cut}, {_mean(law)}std {law.std:.6g}"
        case Orthogonal():
            return f"orthogonal, {_size(law)}, gain {law.gain:.6g}"
        case DeltaOrthogonal():
            return f"orthogonal at the middle tap, {_size(law)}, gain {law.gain:.6g}"
        case Sparse():
            zeros = f"{law.zeros} zeros in the {law.length} weights of each {law.unit}"
            return f"{zeros}, else std {law.sigma:.6g}"
    return f"fixed numbers between {law.support[0]:.6g} and {law.support[1]:.6g}"


def _size(law: Orthogonal | DeltaOrthogonal) -> str:
    times = f"{law.count} times " if law.count > 1 else ""
    return f"{times}{law.rows} by {law.columns}"


def _mean(law: Normal | TruncatedNormal) -> str:
    return f"mean {law.mean:.6g}, " if law.mean else ""
