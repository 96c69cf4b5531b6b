"""A framework's own call as a scheme; the names and their arguments are those of the dialects.

No framework is imported: a function or an initializer that is given says itself what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import SpecError, short_repr
from ..spec.scheme import Scheme
from ..spec.serial import in_programs
from .framework_calls import called
from .jax_axes import JAX_AXES, axes_of, layout_of_axes
from .registry import get
from .rows import dialect as head_of
from .rows import readings, rows


@in_programs
def from_torch(function: Any, /, *args: Any, **kwargs: Any) -> Scheme:
    """The scheme of a function of ``torch.nn.init``, or of its name, called with these arguments.

    The tensor is left out; ``generator`` does not change the law and is ignored.

    Raises :class:`UnknownName` for a function or an argument that PyTorch's dialect does not have,
    :class:`SpecError` for what is of another framework.

    >>> scheme = from_torch("kaiming_normal_", a=0.2, mode="fan_out", nonlinearity="leaky_relu")
    >>> round(scheme.on((40, 10), "torch.Linear").variance, 6)  # 2 / (1 + 0.2**2) / 40
    0.048077
    """
    ours = _ours(function, args, kwargs)
    if ours is not None:
        return ours
    return from_call("torch", _name(function, "from_torch", _packages("torch")), *args, **kwargs)


@in_programs
def from_keras(initializer: Any, /, *args: Any, **kwargs: Any) -> Scheme:
    """The scheme of a Keras initializer: an instance, its config, its class, or its name.

    A config is what ``keras.initializers.serialize`` gives, with its ``class_name``, or the bare
    ``get_config()``, where its words are those of one initializer alone; of initspec's own
    initializer it is the scheme. ``seed``, and the ``dtype`` and ``name`` of old files, do not
    change the law and are ignored; ``input_axes`` and ``output_axes`` are what a layout says here,
    and are refused.

    Raises :class:`UnknownName` for an initializer or an argument that Keras' dialect does not
    have, :class:`SpecError` for a config that says too little.

    >>> from_keras({"class_name": "HeNormal", "config": {"seed": 3}})
    get('he_normal@keras')
    >>> from_keras("VarianceScaling", scale=2.0, mode="fan_out").mode
    'FAN_OUT'
    """
    ours = _ours(initializer, args, kwargs)
    if ours is not None:
        return ours
    if hasattr(initializer, "get_config") and not isinstance(initializer, type):
        name = _name(type(initializer), "from_keras", _packages("keras"))
        return called("keras", name, args, {**initializer.get_config(), **kwargs})
    if isinstance(initializer, Mapping):
        name, config = _configured(initializer)
        return called("keras", name, args, {**config, **kwargs})
    return called("keras", _name(initializer, "from_keras", _packages("keras")), args, kwargs)


@in_programs
def from_jax(factory: Any, /, *args: Any, ndim: int | None = None, **kwargs: Any) -> Any:
    """The scheme of a factory of ``jax.nn.initializers``, or of its name, with its arguments.

    ``jax.nn.initializers.he_normal()`` is a closure that keeps its arguments to itself: give
    ``he_normal`` and the arguments. A real ``dtype`` does not change the law and is ignored.

    With ``in_axis``, ``out_axis`` or ``batch_axis`` that are not at their defaults the answer is a
    pair, the scheme and the :class:`initspec.Layout` that says the same: axes that none of them
    names are the kernel's. The layout is for ``ndim`` axes, by default as few as they need.

    Raises :class:`UnknownName` for a factory or an argument that JAX's dialect does not have,
    :class:`SpecError` for a closure, :class:`LayoutError` for axes that cannot be.

    >>> from_jax("he_normal")
    get('he_normal@jax')
    >>> from_jax("variance_scaling", 2.0, "fan_in", "normal").formula
    'normal, mean 0, variance 2 / fan_in'
    >>> from_jax("he_normal", in_axis=1, out_axis=0, ndim=4)
    (get('he_normal@jax'), Layout('oixx'))
    """
    maker, inner, _ = getattr(factory, "__qualname__", "").partition(".<locals>")
    if inner:
        raise SpecError(
            f"an initializer that {maker} has made does not tell its arguments: give the "
            f"function that makes it, or its name, and its arguments, as in from_jax({maker!r})."
        )
    ours = _ours(factory, args, kwargs)
    if ours is not None:
        return ours
    name = _name(factory, "from_jax", ("jax", "flax"))
    usual = {word: default for word, default in head_of("jax")["axes"].items() if word in JAX_AXES}
    given = {word: axes_of(word, kwargs[word]) for word in usual if word in kwargs}
    plain = {word: value for word, value in kwargs.items() if word not in usual}
    scheme = from_call("jax", name, *args, **plain)
    axes = {word: axes_of(word, default) for word, default in usual.items()}
    if scheme.mode is None or (given.items() <= axes.items() and ndim is None):
        return from_call("jax", name, *args, **kwargs)
    return scheme, layout_of_axes({**axes, **given}, ndim)


@in_programs
def from_tf_contrib(factor: float = 2.0, mode: str = "FAN_IN", uniform: bool = False) -> Scheme:
    """The scheme of ``tf.contrib.layers.variance_scaling_initializer``.

    Uniform with the variance ``factor / n``, or normal with the parent's variance
    ``1.3 * factor / n``, cut at two parent standard deviations.

    >>> round(from_tf_contrib(factor=1.0, mode="FAN_AVG").on((300, 100)).std, 6)
    0.070918
    """
    given = {"factor": factor, "mode": mode, "uniform": uniform}
    return readings("variance_scaling", "tf.contrib")[0].make(**given)


@in_programs
def from_call(dialect: str, name: str, /, *args: Any, **kwargs: Any) -> Scheme:
    """The scheme that a dialect's framework means by a call of its own.

    ``name`` is what the framework calls it, in any case, with or without underscores. Arguments
    that do not change the law (seeds, generators, a real dtype) are ignored; those that say which
    axes count as inputs are refused unless they are at their defaults, for a layout says it here.

    Raises :class:`UnknownName` for a dialect, a name or an argument that does not exist,
    :class:`SpecError` for what cannot be a scheme, with the reason.

    >>> from_call("mxnet", "Xavier", rnd_type="gaussian", magnitude=2).formula
    'normal, mean 0, variance 4 / (fan_in + fan_out)'
    >>> from_call("caffe", "msra")
    get('he_normal@caffe')
    """
    return called(dialect, name, args, kwargs)


def _ours(given: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Scheme | None:
    """The scheme of an initializer of initspec's, of its config or of its name in Keras."""
    inner = getattr(given, "initializer", given)  # of Haiku's
    scheme = getattr(inner, "scheme", None)
    name = given.get("class_name") if isinstance(given, Mapping) else given
    if isinstance(name, str) and name.startswith("initspec>"):
        scheme = name.removeprefix("initspec>")
    elif isinstance(given, Mapping):
        config = given.get("config") if "class_name" in given else given
        scheme = config.get("scheme") if isinstance(config, Mapping) else None
        if isinstance(scheme, Mapping) and "custom" in scheme:
            scheme = scheme["custom"]
            if isinstance(scheme, Mapping):
                raise SpecError(
                    "a config with a custom law holds code: read it with "
                    "keras.initializers.deserialize(config), which gives an initializer with "
                    "its scheme."
                )
    if scheme is None:
        return None
    if args or kwargs:
        raise SpecError("an initializer of initspec has its arguments: give it alone.")
    return get(scheme)


def _packages(dialect: str) -> tuple[str, ...]:
    return tuple(head_of(dialect)["packages"])


def _name(given: Any, caller: str, packages: tuple[str, ...]) -> str:
    """The name of a function or a class that must come from one of these packages."""
    if isinstance(given, str):
        return given.rpartition(".")[2]
    name, module = getattr(given, "__name__", None), getattr(given, "__module__", None) or ""
    if name is None:
        raise SpecError(f"{caller} takes a function or its name, not {short_repr(given)}.")
    if module.partition(".")[0] not in packages:
        raise SpecError(
            f"{caller} reads what {packages[0]} defines, and {name} is of {module or 'nowhere'}: "
            "use that framework's own from_... function, or get() for a law of one's own."
        )
    return str(name)


def _configured(config: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The class and the arguments of a Keras config, with its class or without one."""
    if "class_name" in config:
        arguments = config.get("config") or {}
        if not isinstance(arguments, Mapping):
            raise SpecError(
                f"the config of {config['class_name']!r} is a mapping of arguments, not "
                f"{arguments!r}."
            )
        return str(config["class_name"]), arguments
    head = head_of("keras")
    words = set(config) - {*head["ignored"], *head["axes"]}
    fits = [e for e in rows("keras") if e.until is None and words == set(e.arguments)]
    if len(fits) == 1:
        return fits[0].base, config
    offer = f" It could be {', '.join(entry.call for entry in fits)}." if fits else ""
    raise SpecError(
        f"a config with {', '.join(map(repr, config)) or 'no words'} does not say whose it is."
        f"{offer} Give keras.initializers.serialize(...) of it, or from_keras(name, **config)."
    )
