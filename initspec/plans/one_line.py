"""A whole model by one scheme, where no plan is at hand."""

from __future__ import annotations

from typing import Any

from ..errors import SpecError, short_repr
from .ledger import Ledger
from .plan import Plan
from .rule import Rule

#: What the roles of parameters other than kernels start as.
_ROLES = (
    (("embedding",), "normal(std=0.02)"),
    (("scale", "moving_variance"), "ones"),
    (("offset", "moving_mean"), "zeros"),
    (("lora_b",), "zeros"),
    (("slope",), "constant(value=0.25)"),
    (
        (
            *("bias", "recurrent_bias", "qkv_bias", "query_bias", "key_bias", "value_bias"),
            *("output_bias", "peephole", "extra_key", "extra_value"),
        ),
        "zeros",
    ),
)


def plan_of(scheme: str) -> Plan:
    """The plan of a single scheme: it is for kernels; the rest starts as is usual.

    >>> [str(rule) for rule in plan_of("he_normal").rules][:2]
    ['role = embedding', "role = ['scale', 'moving_variance']"]
    """
    rules = [Rule(role=roles, law=law, optional=True) for roles, law in _ROLES]
    rules += [
        Rule(match="**.{embedding,embeddings}", law="normal(std=0.02)", optional=True),
        Rule(kind="*Norm*", param=("weight", "scale", "gamma"), law="ones", optional=True),
        Rule(param=("scale", "gamma"), ndim=1, law="ones", optional=True),
        Rule(param=("*bias*", "beta", "b"), law="zeros", optional=True),
        *(Rule(ndim=ndim, law=scheme, optional=True) for ndim in (2, 3, 4, 5)),
    ]
    return Plan(name=scheme, rules=tuple(rules))


def initialise(
    model: Any, scheme: str = "he_normal", /, *, seed: int, device: Any = None, quiet: bool = False
) -> Ledger:
    """Fill a PyTorch module or a built Keras model by one scheme, and print what each gets.

    Kernels get the scheme, embeddings ``normal(std=0.02)``, scales of normalisations ones, biases
    zeros. Each parameter has its own numbers, by its name. What is none of these is refused, with
    its name: write a plan for such a model. With ``quiet`` nothing is printed; the ledger, which
    is what is printed, is returned in any case.

    Raises :class:`SpecError` where a parameter has no role that is known, and what
    :meth:`initspec.Plan.fill` raises.

    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> ledger = initialise(model, "he_normal", seed=0)
    he_normal: 4 parameters, 58 values
    parameter  shape   law                                               rule
    0.weight   (8, 4)  normal cut at -2 and 2 parent stds, std 0.707107    11
    0.bias     (8,)    always 0                                             6
    2.weight   (2, 8)  normal cut at -2 and 2 parent stds, std 0.5         11
    2.bias     (2,)    always 0                                             6
    """
    if not isinstance(scheme, str):
        raise SpecError(
            f"a scheme is named, as 'he_normal', not {short_repr(scheme)}: write a plan."
        )
    ledger = plan_of(scheme).fill(model, seed=seed, device=device)
    if not quiet:
        print(ledger)
    return ledger
