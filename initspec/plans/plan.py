"""A plan: rules that say, for a whole model, what every parameter gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..public import public
from .fields import PlanFields
from .ledger import Ledger
from .model import model_of
from .resolve import resolved


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(PlanFields):
    """Rules for a whole model, as data.

    A parameter gets the law of the first of ``rules`` that selects it. ``symbols`` are the names
    that the caller binds; one with a default, a number, an expression or ``"count(layer)"`` (how
    many values the capture ``layer`` takes in the model), may be left out. ``let`` has names for
    expressions over symbols. ``ties`` say which names are one tensor, and ``names`` what the
    parameters of other code bases are called here. ``extends`` names a plan whose rules come after
    the own ones.

    Raises :class:`SpecError` for what contradicts itself, with the rule's number.

    >>> from initspec import Plan, Rule
    >>> tiny = Plan(
    ...     name="tiny",
    ...     symbols={"n_layer": "count(layer)"},
    ...     rules=(
    ...         Rule(match="h.{layer}.weight", law="normal(std=0.02 / sqrt(2 * n_layer))"),
    ...         Rule(param="bias", law="zeros"),
    ...     ),
    ... )
    >>> ledger = tiny.on({"h.0.weight": (4, 8), "h.1.weight": (4, 8), "h.0.bias": (8,)})
    >>> ledger["h.1.weight"].law.std
    0.01
    """

    def on(self, model: Any, /, *, strict: bool = False, **symbols: float) -> Ledger:
        """What each parameter of a model gets; nothing is drawn.

        ``model`` is a module of PyTorch (on the meta device, too), a built Keras model, a tree of
        arrays or of shapes by name, or the path of a safetensors file, of which the header is read.
        ``symbols`` binds the plan's. With ``strict`` each parameter is selected by one rule only.

        Raises :class:`SpecError` with the parameters and the rules, where a parameter is selected
        by no rule, a rule selects nothing, a name is not bound, two parameters have one name, or
        a tie is not as the plan says; :class:`LayoutError` where a layout does not fit.

        >>> import initspec
        >>> plan = initspec.plan({"plan": "p", "rule": [{"match": "**", "law": "he_normal"}]})
        >>> print(plan.on({"encoder": {"w": (50, 8)}}))
        p: 1 parameter, 400 values
        parameter  shape    law                                          rule
        encoder.w  (50, 8)  normal cut at -2 and 2 parent stds, std 0.2     1
        """
        return resolved(self, model_of(model).parameters(), symbols, strict=strict)

    def fill(
        self,
        model: Any,
        /,
        *,
        seed: int,
        device: Any = None,
        strict: bool = False,
        **symbols: float,
    ) -> Ledger:
        """Fill every parameter of a PyTorch module or a built Keras model in place.

        The key of a parameter is the seed's, with its name in the plan folded in. Parameters on
        PyTorch's meta device are made on ``device``. Returns the ledger.

        Raises what :meth:`on` raises, and :class:`SpecError` for tensors that cannot be filled,
        before anything is written.

        >>> import torch
        >>> from initspec import Plan, Rule
        >>> layer = torch.nn.Linear(3, 2, device="meta")
        >>> plan = Plan(
        ...     name="p", rules=(Rule(ndim=2, law="he_normal"), Rule(param="bias", law="zeros"))
        ... )
        >>> ledger = plan.fill(layer, seed=0, device="cpu")
        >>> layer.bias.detach()
        tensor([0., 0.])
        """
        held = model_of(model)
        ledger = resolved(self, held.parameters(), symbols, strict=strict)
        options = {} if device is None else {"device": device}
        return held.fill(ledger, seed, **options)

    def init(self, tree: Any, key: Any, /, *, strict: bool = False, **symbols: float) -> Any:
        """A tree of new JAX arrays, of the shapes and dtypes of the given one.

        ``tree`` is what ``jax.eval_shape`` gives, or a tree of arrays: linen's ``params``, the
        state of an nnx module, Haiku's or Equinox' parameters. ``key`` is a key of JAX, which may
        be traced, or a seed. A ``ShapeDtypeStruct`` with a sharding gives an array that is made
        shard by shard. What holds no floating point number stays as it is.

        Raises what :meth:`on` raises.

        >>> import initspec, jax
        >>> plan = initspec.plan({"plan": "p", "rule": [{"match": "**", "law": "he_normal"}]})
        >>> shapes = {"w": jax.ShapeDtypeStruct((50, 8), "float32")}
        >>> plan.init(shapes, jax.random.key(0))["w"].shape
        (50, 8)
        """
        from .tree import drawn_tree

        return drawn_tree(self, tree, key, symbols, strict=strict)

    def write(
        self,
        folder: Any,
        model: Any,
        /,
        *,
        seed: int,
        dtype: str | None = None,
        shard: str | int = "5GB",
        only: Sequence[int] | None = None,
        progress: Any = None,
        strict: bool = False,
        **symbols: float,
    ) -> Ledger:
        """Write the weights into safetensors files, with no framework and little memory.

        ``model`` is anything that :meth:`on` takes. Tensors are drawn in ``dtype``, by default
        their own, in windows of 16 MB. Files have at most ``shard`` bytes, a larger tensor one of
        its own, and an index says which holds what. ``only`` has the numbers, from 1, of the files
        to write, so that several machines share the work; all give the same bytes. A file stands
        under its name once it is whole; one with its sums, in ``.sums.json``, is kept.
        Of tied parameters one is written, and those that others fill are left out.
        ``progress(done, total, name)`` is told the bytes.

        Returns the ledger with the SHA-256 of each tensor that was written, which also lies in
        ``ledger.json``, there without the sums.

        Raises what :meth:`on` raises, and :class:`SpecError`, an ``OSError`` as well, where the
        disk refuses; what was whole before is kept.

        >>> import tempfile
        >>> from initspec import Plan, Rule
        >>> plan = Plan(name="p", rules=(Rule(match="**", law="normal(std=0.02)"),))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ledger = plan.write(folder, {"w": (64, 32)}, seed=0, dtype="bfloat16")
        >>> ledger["w"].digest[:8]
        '65b860d0'
        """
        from .to_disk import write

        return write(
            self,
            folder,
            self.on(model, strict=strict, **symbols),
            seed=seed,
            dtype=dtype,
            shard=shard,
            only=only,
            progress=progress,
        )
