"""The survey of third parties: what is committed is whole, and the page says what the data say."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from initspec.conformance.targets.claims import claimed
from initspec.conformance.targets.text import Reference

ROOT = Path(__file__).parents[2]
KEYS = ["package", "target", "documented", "claim", "shape", "verdict", "explanation", "command"]


@pytest.fixture(scope="module")
def script():
    path = ROOT / "tests/scripts/third_parties.py"
    spec = importlib.util.spec_from_file_location("third_parties", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(script):
    return json.loads(script.DATA.read_text("utf-8"))


def test_there_are_enough(data):
    assert len(data["rows"]) >= 25
    assert len({row["package"] for row in data["rows"]}) >= 5
    assert {"torch", "numpy", "scipy"} == set(data["versions"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", data["date"])


def test_each_row_is_whole_and_of_the_script(script, data):
    pinned = {f"{name}=={version}" for name, version in script.PACKAGES.items()}
    assert [(row["target"], row["claim"]) for row in data["rows"]] == [
        (row.target, row.claim) for row in script.ROWS
    ]
    for row in data["rows"]:
        assert list(row) == KEYS
        assert row["package"] in pinned
        assert row["verdict"] in ("PASS", "FAIL"), row
        assert bool(row["explanation"]) == (row["verdict"] == "FAIL"), row
        Reference.parse(row["target"])
        claimed(row["claim"])


def test_each_row_ends_with_its_command(data):
    for row in data["rows"]:
        assert row["command"].startswith("initspec check ")
        assert row["target"].partition("(")[0] in row["command"]
        assert " --as " in row["command"]
        assert " --shape " in row["command"]


def test_what_is_known_is_there(data):
    rows = {(row["target"], row["claim"]): row for row in data["rows"]}
    lecun = rows["transformers.initialization:lecun_normal_", "lecun_normal"]
    assert lecun["package"] == "transformers==5.24.0"
    assert lecun["explanation"].startswith("The truncation is missing: the values are normal")


def test_the_page_says_what_the_data_say(script, data):
    assert script.PAGE.read_text("utf-8") == script.page(data)
