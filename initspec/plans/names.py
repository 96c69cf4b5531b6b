"""What the parameters of a code base are called in a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import SpecError, shown
from ..public import public
from ..spec.layout import Layout
from .patterns import Pattern, check_template, renamed

#: What wraps a module leaves these in the names of its parameters.
_WITHIN = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
_BEFORE = ("module.", "base_model.model.", "params.")


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A parameter of another code base: ``here`` is its name there, ``to`` the plan's.

    Captures are carried over, and so is what the first ``**`` stands for. ``layout`` says how that
    code base has the axes, where no table knows the layer.

    >>> from initspec.plans.names import Rename
    >>> Rename(here="h_{layer}.kernel", to="h.{layer}.weight").name("h_3.kernel")
    'h.3.weight'
    """

    here: str
    to: str
    layout: str | None = None

    def __post_init__(self) -> None:
        for value in (self.here, self.to):
            if not isinstance(value, str):
                raise SpecError(f"a name is a text, not {shown(value)}.")
        check_template(Pattern(self.here), self.to)
        if self.layout is not None:
            Layout.parse(self.layout)

    def name(self, there: str) -> str | None:
        """The plan's name; None where the pattern does not match."""
        return renamed(Pattern(self.here), self.to, there)


def logical(name: str, renames: Iterable[Rename]) -> tuple[str, str | None]:
    """What a plan calls a parameter, and its layout there: by the first rename that matches.

    Without one the name stays as it is.
    """
    for rename in renames:
        new = rename.name(name)
        if new is not None:
            return new, rename.layout
    return name, None


def unwrapped(names: Sequence[str]) -> list[str]:
    """The names without what wrappers put into them, with dots.

    A prefix goes where every name has it, as DistributedDataParallel's ``module.``; what
    ``torch.compile`` and FSDP put between goes wherever it stands.

    >>> unwrapped(["module._orig_mod.wte.weight", "module._orig_mod.lm_head.weight"])
    ['wte.weight', 'lm_head.weight']
    >>> unwrapped(["params/wte/embedding"])
    ['wte.embedding']
    """
    plain = [name.replace("/", ".") for name in names]
    for word in _WITHIN:
        plain = [name.replace(word, "") for name in plain]
    while plain:
        prefix = next((p for p in _BEFORE if all(name.startswith(p) for name in plain)), None)
        if prefix is None:
            break
        plain = [name.removeprefix(prefix) for name in plain]
        if prefix == "base_model.model.":
            plain = [name.replace(".base_layer.", ".") for name in plain]
    return plain
