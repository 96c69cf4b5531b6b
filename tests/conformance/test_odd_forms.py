"""Right initializers in odd forms are not refused: a hundred and more, in batches."""

import asyncio
import functools

import odd_forms
import pytest
from odd_forms import FORMS, SHAPE

from initspec import InitSpecError
from initspec.conformance import check

BATCH = 10
NAMES = sorted(FORMS)


def test_there_are_many():
    assert len(FORMS) >= 105


def refused(name):
    make, claim = FORMS[name]
    target = make()
    fixed = hasattr(target, "__array__") or isinstance(target, (list, str))
    report = check(target, claim, **({} if fixed else {"shape": SHAPE}))
    return [
        f"{name}: {record.verdict} {record.explanation} {record.sentence}"
        for record in report.records
        if record.verdict != "PASS"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(NAMES), BATCH))
def test_no_form_is_refused(first):
    assert [line for name in NAMES[first : first + BATCH] for line in refused(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "lambda",
        "partial",
        "class",
        "callable object",
        "bound method",
        "static method",
        "closure",
        "torch: generator by keyword",
        "torch: data",
        "jax: jitted",
    ],
)
def test_a_form_is_not_refused(name):
    assert refused(name) == []


class AsyncCall:
    async def __call__(self, shape, seed):
        return odd_forms.draw(seed, shape)


async def plain(shape, seed):
    return odd_forms.draw(seed, shape)


async def filling(tensor):
    tensor.data.normal_()


async def yielding(shape, seed):
    yield odd_forms.draw(seed, shape)


@pytest.mark.parametrize(
    "init", [plain, filling, yielding, AsyncCall(), functools.partial(plain, seed=3)]
)
def test_what_is_async_is_refused_with_a_sentence(init):
    with pytest.raises(InitSpecError, match=r"is async, .* wrap it in a function that awaits it"):
        check(init, odd_forms.NORMAL, shape=SHAPE)


def test_a_coroutine_is_refused_with_a_sentence():
    record = check(lambda shape, seed: plain(shape, seed), odd_forms.NORMAL, shape=SHAPE).records[0]
    assert record.verdict == "ERROR"
    assert "it is async" in record.sentence


def test_an_awaited_one_is_right():
    report = check(
        lambda shape, seed: asyncio.run(plain(shape, seed)), odd_forms.NORMAL, shape=SHAPE
    )
    assert report.conforms


def test_a_generator_function_is_refused_with_a_sentence():
    def init(shape, seed):
        yield odd_forms.draw(seed, shape)

    with pytest.raises(InitSpecError, match="is a generator function, which yields"):
        check(init, odd_forms.NORMAL, shape=SHAPE)


def test_a_maker_that_names_what_it_makes_is_no_filler(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    (tmp_path / "makers_of_others.py").write_text(
        "import functools, torch\n"
        "def init_method_normal(sigma):\n"
        "    return functools.partial(torch.nn.init.normal_, mean=0.0, std=sigma)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    text = "makers_of_others:init_method_normal(sigma=0.1)"
    assert check(text, odd_forms.NORMAL, shape=SHAPE).conforms
