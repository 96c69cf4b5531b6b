"""What a backend is: six methods, each with a law that the conformance suite checks.

And what a model is, of which a plan asks the parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from .errors import UnknownName
from .public import public
from .spec.distribution import Distribution
from .spec.fan_rules import Shape
from .spec.layout import Layout
from .spec.scheme import Scheme
from .stream.parts import Part


@public
@runtime_checkable
class Backend(Protocol):
    """A framework, as initspec sees it.

    A distribution package offers one by the entry-point group ``initspec.backends``: the name of
    the backend and the class, which is called without arguments. ``stream`` is
    :mod:`initspec.stream` below. A key is a pair of 32-bit words, of the framework where it traces.

    These members are all that a backend is ever asked for by its name. The built-in ones have more,
    for ``Scheme.numpy``, ``Scheme.torch`` and the like, in the words of their framework.

    >>> from initspec import Backend, backend
    >>> isinstance(backend("numpy"), Backend)
    True
    """

    #: The name that users write: ``backend="torch"``.
    name: str
    #: Whether the usual layout is ``(out, in, spatial...)``, as PyTorch's, or ``(..., in, out)``.
    out_first: bool

    def key(self, source: Any = None, name: str | None = None) -> Any:
        """A key from a seed, or from what the framework draws its own randomness from.

        Law: ``key(seed, name) == stream.fold_name(stream.key_from_seed(seed), name)`` for every
        integer seed; two keys from ``None`` differ.

        >>> from initspec import backend
        >>> backend("numpy").key(2**32 + 5)
        (1, 5)
        """
        ...

    def words(
        self,
        key: Any,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Any:
        """The words of a tensor, of uint32 or its bits.

        Law: the word at each place is ``stream.words(key, index)`` at that place's index.

        >>> from initspec import backend
        >>> [hex(word) for word in backend("numpy").words((0, 0), (3,))]
        ['0xf29a4fa7', '0xfa843692', '0x55110e28']
        """
        ...

    def sample(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        key: Any,
        layout: Layout | str | None = None,
        dtype: str = "float32",
        window: Sequence[slice] | None = None,
    ) -> Any:
        """A new array (the window of one) drawn from the portable stream.

        Law: equal, bit for bit, to what the NumPy backend gives for the same arguments, whatever
        the device; orthogonal laws to 1e-6.

        >>> from initspec import backend, get
        >>> numpy = backend("numpy")
        >>> numpy.sample(get("ones").on((2, 3)), (2, 3), key=numpy.key(0), dtype="float16").dtype
        dtype('float16')
        """
        ...

    def native(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        source: Any = None,
        layout: Layout | str | None = None,
        dtype: str = "float32",
    ) -> Any:
        """A new array drawn by the framework's own sampler.

        Law: its values have the distribution, in 16 bits as well as that sampler's own grid lets
        them; the same ``source`` gives the same values in the same version of the framework on
        the same device: those of the framework's own initializer, where it has one of that law.

        >>> from initspec import backend, get
        >>> numpy = backend("numpy")
        >>> law = get("uniform(low=0.0, high=1.0)").on((2, 3))
        >>> bool((numpy.native(law, (2, 3), source=0) == numpy.native(law, (2, 3), source=0)).all())
        True
        """
        ...

    def tohost(self, array: Any) -> Any:
        """The array as NumPy's; bfloat16 as ``ml_dtypes.bfloat16``, or its bits as uint16.

        Law: ``tohost(sample(...))`` holds the same values and the same shape.

        >>> from initspec import backend, get
        >>> numpy = backend("numpy")
        >>> ones = numpy.sample(get("ones").on((2, 1)), (2, 1), key=numpy.key(0))
        >>> numpy.tohost(ones).tolist()
        [[1.0], [1.0]]
        """
        ...

    def initializer(self, scheme: Scheme, **options: Any) -> Any:
        """The object that the framework's users hand to their layers.

        Law: called as the framework calls its own, it gives ``sample`` or ``native`` of
        ``scheme.on(shape, layout)``. Options: ``seed``, ``name``, ``layout``, ``dtype`` and
        ``stream``.

        >>> from initspec import backend, get
        >>> numpy = backend("numpy")
        >>> numpy.initializer(get("he_normal"), seed=0, name="encoder.0")((256, 128)).shape
        (256, 128)
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A parameter as a framework's model holds it.

    ``path`` is its name there. ``owners`` are the layers that hold it, the innermost first, each
    with its name in that layer. ``also`` are the paths under which the model holds the same tensor
    once more.
    """

    path: str
    shape: Shape
    dtype: str
    owners: tuple[tuple[Any, str], ...] = ()
    also: tuple[str, ...] = ()
    buffer: bool = False


class Fill(NamedTuple):
    """One parameter to be filled: where it is held, its law, its axes and its key.

    Where several parameters lie in one tensor, ``part`` says which part of it this one is.
    """

    path: str
    law: Distribution
    layout: Layout
    key: Any
    part: Part | None = None


class InTensor(Protocol):
    """What is of a tensor, or of a part of one."""

    @property
    def path(self) -> str:
        """Where the tensor is held."""
        ...


Item = TypeVar("Item", bound=InTensor)


def by_path(items: Iterable[Item]) -> dict[str, list[Item]]:
    """What is of each tensor: one item, or one for each of its parts."""
    held: dict[str, list[Item]] = {}
    for item in items:
        held.setdefault(item.path, []).append(item)
    return held


class Model(Protocol):
    """A model of a framework, as a plan sees it.

    The built-in backends of frameworks with models in memory have a method ``model(object)`` that
    gives one.
    """

    #: The name of the backend.
    framework: str
    #: Whether the usual layout is PyTorch's.
    out_first: bool

    def parameters(self) -> Sequence[Held]:
        """The parameters, each tensor once, and the buffers, in the model's order."""
        ...

    def fill(self, fills: Iterable[Fill]) -> None:
        """Fill parameters in place, bit for bit as NumPy draws them."""
        ...

    def value(self, path: str) -> Any:
        """The values of a parameter as a NumPy array."""
        ...


STREAMS = ("portable", "native")


def check_stream(stream: str) -> str:
    """The stream, if there is one of that name."""
    if not isinstance(stream, str) or stream not in STREAMS:
        raise UnknownName("stream", stream, STREAMS)
    return stream
