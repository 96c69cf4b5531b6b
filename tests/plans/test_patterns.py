"""Patterns over names: what each sign stands for, what is captured, what cannot be read."""

import pytest

from initspec import SpecError
from initspec.plans.patterns import Pattern, renamed

MATCHES = [
    ("a.b", "a.b", {}),
    ("a.b", "a.b.c", None),
    ("a/b", "a.b", {}),
    ("*.weight", "a.weight", {}),
    ("*.weight", "weight", None),
    ("*.weight", "a.b.weight", None),
    ("**.weight", "weight", {}),
    ("**.weight", "a.b.weight", {}),
    ("**.weight", "aweight", None),
    ("a.**", "a.b.c", {}),
    ("a.**", "ab", None),
    ("a.**.c", "a.c", {}),
    ("a.**.c", "a.b.b.c", {}),
    ("**", "", {}),
    ("**", "a.b", {}),
    ("h.?", "h.1", {}),
    ("h.?", "h.12", None),
    ("h.{layer}.w", "h.12.w", {"layer": 12}),
    ("h.{layer}.w", "h.x.w", None),
    ("h.{layer}.w{layer}", "h.3.w3", {"layer": 3}),
    ("h.{layer}.w{layer}", "h.3.w4", None),
    ("{a,b}.w", "b.w", {}),
    ("{a,b}.w", "c.w", None),
    ("{q_*,k}.w", "q_proj.w", {}),
    ("w[0]", "w[0]", {}),
    ("a+b", "aab", None),
    ("re:h\\.(?P<layer>[0-9]+)\\.w", "h.7.w", {"layer": 7}),
    ("re:h", "h.w", None),
]


@pytest.mark.parametrize(("pattern", "name", "captures"), MATCHES)
def test_a_pattern_matches_whole_names(pattern: str, name: str, captures: object) -> None:
    assert Pattern(pattern).match(name) == captures


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "empty"),
        ("a**.b", "whole segments"),
        ("{a", "no partner"),
        ("{}", "no capture"),
        ("{1}", "no capture"),
        ("re:(", "cannot be read"),
        ("re:a{99999999999}", "cannot be read"),
        ("re:(a+)+$", "repeats a group"),
        ("re:(a|aa)*b", "repeats a group"),
        ("re:(a+){2,}b", "repeats a group"),
        ("x" * 3000, "3000 characters"),
        (["a"], "a text"),
        (7, "a text"),
    ],
)
def test_what_is_no_pattern(pattern: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        Pattern(pattern)


def test_a_capture_is_a_whole_number() -> None:
    with pytest.raises(SpecError, match="whole number"):
        Pattern("re:(?P<layer>.*)").match("x")


def test_what_only_looks_like_a_repeated_group() -> None:
    assert Pattern(r"re:[()*+]+\)+(_reverse)?").match("+*)") == {}


def test_many_wildcards_take_no_time() -> None:
    assert Pattern(".".join(["**"] * 3 + ["x"])).match("a." * 200 + "y") is None


@pytest.mark.parametrize(
    ("pattern", "template", "name", "new"),
    [
        ("transformer.**", "**", "transformer.h.0.w", "h.0.w"),
        ("**.embedding", "**.weight", "embedding", "weight"),
        ("**.embedding", "**.weight", "a.b.embedding", "a.b.weight"),
        ("h_{layer}.kernel", "h.{layer}.weight", "h_3.kernel", "h.3.weight"),
        ("x.**", "y.**.z", "x.a.b", "y.a.b.z"),
        ("x", "y", "z", None),
    ],
)
def test_names_in_other_words(pattern: str, template: str, name: str, new: str | None) -> None:
    assert renamed(Pattern(pattern), template, name) == new
