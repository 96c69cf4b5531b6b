"""The command line, from its parser."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator

from initspec.commands import main

from .markdown import code, escaped, page, plain, table, tick


def pages() -> dict[str, str]:
    return {"cli.md": _page()}


def _page() -> str:
    parser = main.parser()
    commands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    about = plain(inspect.getdoc(main) or "").partition("\n\n")[2].replace("\n", " ")
    parts: list[str] = []
    for name, sub in commands.choices.items():
        parts += [f"## {name}", escaped(sub.description or ""), code(_usage(sub), "text")]
        parts += _arguments(sub)
    return page(
        "The command line",
        f"`initspec COMMAND`, or `python -m initspec COMMAND`. {about}",
        "Every command prints text for people, and with `--json` one document for programs.",
        table(
            ("Command", ""),
            [
                (f"[{tick(n)}](#{n})", escaped(s.description or ""))
                for n, s in commands.choices.items()
            ],
        ),
        *parts,
    )


def _usage(sub: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(sub.prog, width=88)
    groups = sub._mutually_exclusive_groups
    formatter.add_usage(None, [a for a in sub._actions if a.dest != "help"], groups, prefix="")
    return formatter.format_help()


def _arguments(sub: argparse.ArgumentParser) -> Iterator[str]:
    rows = []
    for action in sub._actions:
        if action.dest != "help":
            words = ", ".join(action.option_strings) or str(action.metavar or action.dest)
            facts = [_help(action), *_facts(action)]
            rows.append((tick(words), escaped(" ".join(filter(None, facts)))))
    yield table(("Argument", ""), rows)


def _help(action: argparse.Action) -> str:
    text = (action.help or "").replace("%%", "%")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _facts(action: argparse.Action) -> Iterator[str]:
    if action.choices:
        yield f"One of {', '.join(f'`{choice}`' for choice in action.choices)}."
    if action.option_strings and action.required:
        yield "Required."
    if action.default not in (None, False, [], argparse.SUPPRESS) and "default" not in (
        action.help or ""
    ):
        yield f"Default: `{action.default}`."
