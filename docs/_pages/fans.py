"""Fans: the rules by which they are counted, and where they part."""

from __future__ import annotations

import inspect

from initspec.errors import InitSpecError
from initspec.readings.registry import dialects, rows
from initspec.spec.fan_rules import MODES, RULES, Fans
from initspec.spec.layout import fans

from .markdown import NONE, code, number, page, plain, table, tick

#: Weights on which the rules part, with what they are.
_EXAMPLES = (
    ("a dense layer", (256, 512), "io"),
    ("a convolution", (96, 64, 3, 3), "oihw"),
    ("a convolution in 4 groups", (96, 16, 3, 3), "oihw, groups=4"),
    ("a depthwise convolution", (3, 3, 64, 2), "hwgo"),
    ("a transposed convolution", (64, 96, 3, 3), "iohw, transposed"),
    ("fused q, k and v", (288, 96), "oi, stack=3"),
    ("an attention's query, by heads", (96, 6, 16), "ino"),
    ("an embedding", (1000, 64), "vo"),
    ("8 experts", (8, 256, 512), "bio"),
    ("a bilinear layer", (64, 24, 40), "oii"),
)
#: The rules that they are compared by: all that count a fan at all.
_COMPARED = tuple(name for name in RULES if name != "elements")


def pages() -> dict[str, str]:
    return {"fans.md": _page()}


def _page() -> str:
    rules = []
    for name, rule in RULES.items():
        rules += [f"### {name}", plain(inspect.getdoc(rule) or ""), _users(name)]
    return page(
        "Fans",
        plain(inspect.getdoc(fans) or "").partition("\n\n")[0].replace("\n", " "),
        "$$\n\\mathrm{fan_{in}} = \\mathrm{in} \\cdot K \\qquad "
        "\\mathrm{fan_{out}} = \\mathrm{out} \\cdot K\n$$",
        "with $K$ the number of taps of the kernel, counted within one group and one stacked "
        "parameter. The [layout](layouts.md) says which axis is which.",
        "## Modes",
        "A scheme divides its variance by one number $n$, that of its mode; of `fan_in` = 64 and "
        "`fan_out` = 256:",
        table(
            ("Mode", "n"),
            [(tick(mode), number(float(Fans(64, 256).n(mode)))) for mode in MODES],
            right=(1,),
        ),
        "## Where the frameworks part",
        "Each cell is `fan_in` / `fan_out`; in bold, what is not the true number.",
        _parting(),
        "On a dense layer nearly all agree. Where they part, a scheme by its framework's own fans "
        "is another law than its paper's. A dialect counts as its framework does, a bare name "
        "counts truly.",
        "JAX and Keras count by `naive` where they are told which axes are which, with `in_axis` "
        "and `out_axis`, or by Keras' own layers since 3.15. Their bare calls see a shape alone "
        "and count by `last_two`: heads and experts are a kernel there.",
        code("$ initspec fans 64 96 3 3 --layout torch.ConvTranspose2d --rule torch", "console"),
        "## The rules",
        *rules,
    )


def _parting() -> str:
    lines = []
    for what, shape, layout in _EXAMPLES:
        true = fans(shape, layout)
        cells = [_cell(shape, layout, rule, true) for rule in _COMPARED]
        lines.append((f"{what}, {tick(str(shape))} {tick(layout)}", *cells))
    return table(("Weight", *_COMPARED), lines)


def _cell(shape: tuple[int, ...], layout: str, rule: str, true: Fans) -> str:
    try:
        found = fans(shape, layout, rule)
    except InitSpecError:
        return NONE
    text = "\u00a0/\u00a0".join(number(n) for n in found)
    return text if found == true else f"**{text}**"


def _users(rule: str) -> str:
    heads = {name: head for name, head in dialects().items() if head["fans"] == rule}
    older = {
        entry.dialect: dialects()[entry.dialect]
        for name in dialects()
        for entry in rows(name)
        if entry.dialect not in heads and entry.make().needs_fans and entry.make().fans == rule
    }
    found = []
    for words, group in (("Used by", heads), ("By single rows of", older)):
        links = [f"[{head['title']}](dialects/{name}.md)" for name, head in group.items()]
        found += [f"{words} {', '.join(links)}."] if links else []
    return " ".join(found)
