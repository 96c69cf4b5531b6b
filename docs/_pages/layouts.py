"""Layouts: the letters, the words, and the layouts of all layers."""

from __future__ import annotations

from initspec.readings.registry import dialects
from initspec.spec.layout import ROLES, Layout, layers

from .markdown import code, page, plain, table, tick, ticks

#: What each role is, for people; a test holds them against the roles that there are.
_MEANING = {
    "in": "an input: what is summed over",
    "out": "an output",
    "spatial": "a tap of the kernel",
    "group": "a channel of a depthwise kernel, each an own group",
    "head": "heads: a part of the in or out axis that follows it",
    "stack": "fused parameters that are independent of one another: q, k and v, or gates",
    "batch": "a batch of weights, such as experts, each by itself",
    "vocabulary": "an input that is looked up, one entry at a time",
}


def pages() -> dict[str, str]:
    return {"layouts.md": _page()}


def _page() -> str:
    by_role: dict[str, list[str]] = {}
    for letter, role in ROLES.items():
        by_role.setdefault(role, []).append(letter)
    frameworks: dict[str, list[tuple[str, Layout]]] = {}
    for name, layout in layers().items():
        framework, _, layer = name.partition(".")
        frameworks.setdefault(framework, []).append((layer, layout))
    parts = []
    for framework, found in frameworks.items():
        parts.append(f"### {_title(framework)}")
        parts.append(
            table(
                ("Layer", "Layout", "Write"),
                [(layer, tick(str(at)), tick(f"{framework}.{layer}")) for layer, at in found],
            )
        )
    return page(
        "Layouts",
        "A layout says which axis of a tensor plays which role, one letter each: `oihw` is what a "
        "`Conv2d` of PyTorch stores. From it follow the [fans](fans.md), and the order in which "
        "the stream gives a tensor its numbers.",
        "## Letters",
        table(
            ("Letters", "Role", ""),
            [(ticks(letters), role, _MEANING[role]) for role, letters in by_role.items()],
        ),
        "Letters may repeat. Behind them, after a comma, come",
        table(
            ("Word", ""),
            [
                ("`groups=4`", "how many groups the out axis counts; of `transposed`, the in axis"),
                ("`stack=3`", "how many fused parameters the out axis holds"),
                ("`transposed`", "a transposed convolution, whose fans some frameworks swap"),
            ],
        ),
        "Without a layout the usual order is taken: `(spatial..., in, out)`, and in PyTorch's "
        "functions `(out, in, spatial...)`.",
        "## Layers",
        "A layer's name stands for its layout, and takes the same words: `torch.Conv2d, groups=4`.",
        *parts,
        code("$ initspec fans 32 4 3 3 --layout 'torch.Conv2d, groups=4'", "console"),
    )


def _title(framework: str) -> str:
    known = dialects()
    return plain(str(known[framework]["title"])) if framework in known else framework
