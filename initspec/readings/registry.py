"""The named schemes: what each name means, and whose reading it is.

Bare names are rows of ``schemes.toml``; a dialect's are rows of ``dialects/<dialect>.toml``, which
is read when that dialect is first asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from .. import computed_weights, plugins
from ..errors import MOST, SpecError, UnknownName, either, nearest, short_repr
from ..spec.arguments import text
from ..spec.custom import Custom, Function
from ..spec.layer_layouts import layer_called
from ..spec.scheme import Scheme
from ..spec.serial import from_dict, in_programs
from ..spec.traced import outside_programs
from ..spec.values import Values
from .books import bases, book_of, dialect_names, document_of, find, words_of
from .entry import Entry
from .framework_calls import of_framework
from .names import Name
from .own_names import called, dialect_of, find_own, normal, reason_of
from .rows import DIALECTS, dialect, readings, rows
from .written import arguments, split

__all__ = [
    "Entry",
    "Registry",
    "dialect",
    "dialects",
    "get",
    "initializer",
    "readings",
    "references",
    "register",
    "rows",
    "schemes",
]

_PLAIN = re.compile(r"[\w.\-]+(@[\w.\-]+)?")


class Registry(Mapping[str, Entry]):
    """A read-only view of the named schemes: name to :class:`Entry`.

    A name may narrow the versions that it asks for: ``trunc_normal@torch<2.12``. It means the
    newest row that holds for one of them, so that a name without a version means the newest.
    A framework's own name is that framework's reading: ``torch.nn.init.kaiming_normal_``.

    >>> schemes["he_normal"].aliases
    ('kaiming_normal', 'msra_normal')
    >>> schemes["kaiming_normal@torch"].name
    'he_normal@torch'
    >>> schemes["keras.initializers.HeNormal"].name
    'he_normal@keras'
    """

    @outside_programs
    def __getitem__(self, name: str) -> Entry:
        parsed = Name.parse(name)
        entry = find(parsed) or find_own(parsed)
        if entry is None:
            raise _unknown(parsed)
        return entry

    def __contains__(self, name: object) -> bool:
        try:
            if not isinstance(name, str):
                return False
            parsed = Name.parse(name)
            return (find(parsed) or find_own(parsed)) is not None
        except SpecError:
            return False

    def __iter__(self) -> Iterator[str]:
        for name in (None, *dialect_names()):
            yield from book_of(name).entries

    def __len__(self) -> int:
        return sum(len(book_of(dialect).entries) for dialect in (None, *dialect_names()))


#: The named schemes, by name.
schemes: Mapping[str, Entry] = Registry()


def _unknown(name: Name) -> Exception:
    if reason := reason_of(name):
        return SpecError(f"{str(name)!r} is no scheme: {reason}")
    if name.dialect is None:
        return _unknown_bare(name.base)
    if name.dialect not in dialect_names():
        hint = f"(in {str(name)!r})"
        return UnknownName("dialect", name.dialect, dialect_names(), hint, listed=DIALECTS)
    book = book_of(name.dialect)
    rows = next((book.versions[base] for base in bases(name) if base in book.versions), ())
    if not rows:
        listed = f"`initspec list --dialect {name.dialect}` names all."
        given = str(Name(name.base, name.dialect))
        return UnknownName("scheme", given, words_of(book), listed=listed)
    spans = " and ".join(filter(None, (_span(entry) for entry in reversed(rows))))
    near = rows[0] if name.relation in (">", ">=") else rows[-1]
    return SpecError(
        f"no row of {str(Name(name.base, name.dialect))!r} holds for a version "
        f"{name.relation}{name.version}: it is known {spans}. The nearest is {near.name!r}."
    )


_ALL = "`initspec list` names all."


def _unknown_bare(given: str) -> UnknownName:
    """What is no scheme without a dialect may be a dialect, a layer, or of several frameworks."""
    bare = words_of(book_of(None))
    known = {name for book in map(book_of, (None, *dialect_names())) for name in words_of(book)}
    path, _, last = given.rpartition(".")
    layer, dialect = layer_called(given), dialect_of(path or given)
    instead = ""
    if layer:
        to = "torch" if layer.startswith("keras") else "keras"
        instead = f"it is a layer; `initspec port {layer} --to {to}` says what it draws."
    elif given in dialect_names():
        instead = f"it is a dialect; `initspec list --dialect {given}` names its schemes."
    elif dialect:
        names = words_of(book_of(dialect))
        near = nearest(f"{last}@{dialect}", names)
        listed = f"`initspec list --dialect {dialect}` names all of that framework."
        instead = f"did you mean {either(near)}? {listed}" if near else listed
    else:
        same = [name for name in bare if normal(name) == normal(given)]
        near = [*(same or nearest(given, bare)), *(entry.name for entry in called(given))]
        if not near and (others := nearest(given, dialect_names())):
            near = [f"he_normal@{name}" for name in others if f"he_normal@{name}" in schemes]
        instead = f"did you mean {either(near[:MOST])}? {_ALL}" if near else ""
    return UnknownName("scheme", given, known, listed=_ALL, instead=instead)


def _span(entry: Entry) -> str:
    since = f"from {entry.since} on" if entry.since else ""
    return " ".join(filter(None, (since, f"before {entry.until}" if entry.until else "")))


def dialects() -> Mapping[str, Mapping[str, Any]]:
    """The dialects: whose reading a name can ask for after its ``@``."""
    return MappingProxyType({name: book_of(name).head for name in dialect_names()})


def references() -> Mapping[str, Mapping[str, str]]:
    """The papers that the rows cite, by key."""
    return MappingProxyType(document_of(None)["reference"])


@in_programs
def get(spec: Any, /, *args: Any, **kwargs: Any) -> Scheme:
    """The scheme that ``spec`` names.

    ``spec`` is a name (``"he_normal"``, ``"he_normal@torch"``, ``"trunc_normal@torch<2.12"``,
    ``"normal(std=0.02)"``, ``"torch.nn.init.kaiming_normal_"``), whose arguments may follow; a
    mapping of a scheme's fields; an array
    or nested lists, which stand for themselves; an instance of :class:`Custom`; a function of the
    shape; or a scheme.

    Raises :class:`UnknownName` for a name or an argument that does not exist, and
    :class:`SpecError` for what is none of these, or a scheme that cannot be.

    >>> get("variance_scaling", factor=2.0, mode="FAN_OUT")
    get("variance_scaling(factor=2.0, mode='FAN_OUT')")
    >>> get([[1, 0], [0, 1]]).distribution
    'array'
    """
    computed_weights.install()  # before a call of torch_ reads the weight that it is given
    return _scheme(spec, args, kwargs)


def _scheme(spec: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Scheme:
    if isinstance(spec, str):
        return _named(spec, args, kwargs)
    foreign = of_framework(spec, args, kwargs)
    if foreign is not None:
        return foreign
    if args or kwargs:
        raise SpecError(f"only a name takes arguments, not {type(spec).__name__}.")
    if isinstance(spec, Scheme):
        return spec
    if isinstance(spec, Entry):
        return spec.make()
    if isinstance(spec, Mapping):
        return from_dict(spec)
    if isinstance(spec, type) and issubclass(spec, Custom):
        spec = spec()
    if isinstance(spec, Custom):
        return Scheme(distribution="custom", custom=spec)
    if hasattr(spec, "__array__") or isinstance(spec, Iterable):
        return Scheme(distribution="array", array=Values.of(spec))
    if callable(spec):
        return Scheme(distribution="custom", custom=Function(spec))
    raise SpecError(
        "a scheme is a name, a mapping of fields, an array, a Custom or a function of the shape, "
        f"not {short_repr(spec)}."
    )


def _named(text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Scheme:
    parts = split(text)
    if parts is None:
        raise SpecError(
            f"cannot read {text!r}: write a name, such as 'he_normal' or 'normal(std=0.02)'."
        )
    name, call = parts
    if call:
        written = _arguments(text, call)
        args, kwargs = (*written[0], *args), {**written[1], **kwargs}
    scheme = _registered().get(name)
    if scheme is not None:
        if args or kwargs:
            raise SpecError(f"{name} was registered as it is and takes no arguments.")
        return scheme
    entry = schemes[name]
    if entry.dialect is not None and find(Name.parse(name)) is None:  # a framework's own call
        ignored = book_of(entry.dialect).head.get("ignored", ())
        kwargs = {word: value for word, value in kwargs.items() if word not in ignored}
    return entry.make(*args, **kwargs)


def _arguments(text: str, call: str) -> tuple[list[Any], dict[str, Any]]:
    try:
        return arguments(call, lambda node, _: ast.literal_eval(node))
    except ValueError:
        raise SpecError(
            f"cannot read the arguments of {text!r}: write them as in 'normal(std=0.02)'."
        ) from None


@cache
def _registered() -> dict[str, Scheme]:
    return {}


@in_programs
def register(name: str, spec: Any) -> Scheme:
    """Give a scheme of one's own a name, for this process; returns the scheme.

    Raises :class:`SpecError` where the name is taken by another scheme.

    >>> register("tiny", "normal(std=1e-4)").on((2, 2)).std
    0.0001
    """
    if _PLAIN.fullmatch(text("a name", name)) is None:
        raise SpecError(f"a name is made of letters, digits, '_', '.' and '-', not {name!r}.")
    scheme = get(spec).replace(name=name)
    taken = schemes[name].make() if name in schemes else _registered().setdefault(name, scheme)
    if taken != scheme:
        raise SpecError(f"the name {name!r} is taken by {taken!r}, which is another scheme.")
    return taken


def initializer(scheme: Any, /, backend: str = "numpy", **options: Any) -> Any:
    """The scheme as an initializer of one framework.

    ``scheme`` is anything that :func:`initspec.get` takes. Options are ``seed``, ``name`` (the
    parameter's, folded into the key), ``layout``, ``dtype`` and ``stream`` (``"portable"``, or
    ``"native"`` for the framework's own sampler).
    Tensors of one seed without a name are fully correlated: give each parameter its own.

    >>> initializer("he_normal", backend="numpy", seed=42)((256, 512)).shape
    (256, 512)
    """
    return plugins.backend(backend).initializer(get(scheme), **options)
