"""Names that frameworks have for their initializers and layers, and first guesses."""

import re

import pytest

from initspec import SpecError, UnknownName, defaults, get, schemes
from initspec.analysis.activations import activation
from initspec.commands.main import main
from initspec.errors import MOST
from initspec.layers.defaults import frameworks, table
from initspec.readings.own_names import dialect_of_module
from initspec.readings.registry import dialects, rows


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ("torch.nn.init.kaiming_normal_", "he_normal@torch"),
        ("torch.nn.init.kaiming_normal", "he_normal@torch"),
        ("nn.init.xavier_uniform_", "glorot_uniform@torch"),
        ("init.orthogonal_", "orthogonal@torch"),
        ("kaiming_uniform_", "he_uniform@torch"),
        ("kaiming_normal_@torch", "he_normal@torch"),
        ("torch.Tensor.normal_", "normal@torch"),
        ("keras.initializers.HeNormal", "he_normal@keras"),
        ("keras.initializers.glorot_uniform", "glorot_uniform@keras"),
        ("tf.keras.initializers.GlorotUniform", "glorot_uniform@keras"),
        ("HeNormal@keras", "he_normal@keras"),
        ("HeNormal@keras<2.2", "he_normal@keras<2.2"),
        ("tf.initializers.he_normal", "he_normal@tensorflow"),
        ("jax.nn.initializers.lecun_normal", "lecun_normal@jax"),
        ("flax.linen.initializers.lecun_normal", "lecun_normal@flax"),
        ("hk.initializers.TruncatedNormal", "truncated_normal@haiku"),
        ("timm.models.layers.trunc_normal_", "truncated_normal@timm"),
        ("mxnet.initializer.Xavier", "glorot_uniform@mxnet"),
        ("paddle.nn.initializer.KaimingNormal", "he_normal@paddle"),
        ("tf.contrib.layers.xavier_initializer", "xavier@tf.contrib"),
    ],
)
def test_a_frameworks_own_name_is_its_reading(own: str, name: str) -> None:
    assert get(own) == get(name)
    assert own in schemes
    assert main(["show", own]) == main(["sample", own, "--shape", "9x8"]) == 0


def test_every_call_that_is_written_down_is_understood() -> None:
    for dialect in dialects():
        for entry in rows(dialect):
            if re.fullmatch(r"[\w.]+\.\w+", entry.call) and entry.until is None:
                row = schemes[entry.call]
                same = [other for other in rows(row.dialect) if other.call == entry.call]
                assert same or row.dialect == dialect, entry.call


def test_arguments_of_a_frameworks_own_name() -> None:
    scheme = get("torch.nn.init.kaiming_normal_(a=0.2, mode='fan_out')")
    assert scheme == get("he_normal@torch", a=0.2, mode="fan_out")
    assert get("torch.nn.init.normal_", 0.0, 0.02) == get("normal@torch(std=0.02)")
    assert get("keras.initializers.HeNormal(seed=3)") == get("he_normal@keras")
    with pytest.raises(UnknownName, match="argument of he_normal@keras 'sed'"):
        get("keras.initializers.HeNormal(sed=3)")


@pytest.mark.parametrize(
    ("guess", "sentence"),
    [
        ("xavier", "did you mean 'xavier_normal', 'xavier_uniform' or"),
        ("Xavier", "did you mean 'xavier_normal', 'xavier_uniform' or"),
        ("glorot", "did you mean 'glorot_normal' or 'glorot_uniform'?"),
        ("kaiming", "did you mean 'kaiming_normal' or 'kaiming_uniform'?"),
        ("he", "did you mean 'he_normal' or 'he_uniform'?"),
        ("HeNormal", "did you mean 'he_normal', 'he_normal@keras',"),
        ("trunc_normal_", "'trunc_normal', 'truncated_normal@torch' or 'truncated_normal@timm'"),
        ("xavier@torch", "did you mean 'xavier_normal@torch' or 'xavier_uniform@torch'?"),
        ("normal_distribution", "did you mean 'normal'?"),
        ("torch", "it is a dialect; `initspec list --dialect torch`"),
        ("pytorch", "did you mean 'he_normal@torch'?"),
        ("torch.nn.Linear", "it is a layer; `initspec port torch.nn.Linear --to keras`"),
        ("nn.Linear", "it is a layer; `initspec port torch.nn.Linear --to keras`"),
        ("keras.layers.Dense", "it is a layer; `initspec port keras.layers.Dense --to torch`"),
        ("lstm", "it is a layer; `initspec port "),
        ("torch.nn.init.kaiming_norml_", "'kaiming_normal@torch' or 'kaiming_uniform@torch'"),
        ("torch.nn.init", "`initspec list --dialect torch` names all of that framework."),
        ("keras.initializers.nope", "`initspec list --dialect keras` names all"),
        ("foo", "and 398 more. `initspec list` names all."),
        ("foo@torch", "and 16 more. `initspec list --dialect torch` names all."),
    ],
)
def test_a_first_guess_gets_a_short_answer(guess: str, sentence: str) -> None:
    with pytest.raises(UnknownName) as caught:
        get(guess)
    text = str(caught.value)
    assert re.sub(r"\d+ more", "N more", sentence) in re.sub(r"\d+ more", "N more", text)
    assert len(text) < 250
    assert guess not in schemes


def test_what_the_message_offers_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    for guess in ("xavier", "HeNormal", "RandomNormal", "pytorch", "trunc_normal_"):
        with pytest.raises(UnknownName) as caught:
            get(guess)
        offered = re.findall(r"'([^']+)'", str(caught.value))[1:]
        assert 1 <= len(offered) <= MOST
        assert all(name in schemes for name in offered)
    for guess in ("torch", "torch.nn.Linear", "Dense", "lstm", "keras.initializers"):
        with pytest.raises(UnknownName) as caught:
            get(guess)
        (command,) = re.findall(r"`initspec ([^`]+)`", str(caught.value))
        assert main(command.split()) == 0


def test_every_layer_of_the_tables_has_its_command() -> None:
    for framework in frameworks():
        module = frameworks()[framework]["modules"][0]
        for name in dict.fromkeys(row.name for row in table(framework) if "(" not in row.name):
            with pytest.raises(UnknownName, match="it is a layer"):
                get(f"{module}.{name}")
            assert defaults(framework, name)


def test_why_a_framework_s_own_is_no_scheme() -> None:
    with pytest.raises(SpecError, match="is no scheme: it is a fixed transform"):
        get("keras.initializers.STFT")


def test_no_error_lists_more_than_five() -> None:
    for raise_ in (lambda: activation("zzz"), lambda: get("zzz@zzz"), lambda: get("zzz")):
        with pytest.raises(UnknownName) as caught:
            raise_()
        text = str(caught.value)
        assert text.count(",") < MOST
        assert f"and {len(caught.value.known) - MOST} more. " in text
        assert "`initspec " in text
    error = UnknownName("thing", "q", (f"thing{n}" for n in range(40)))
    assert str(error).endswith("thing12 and 35 more. This error's `known` holds all.")
    assert len(error.known) == 40


def test_a_target_s_module_offers_its_own_functions() -> None:
    pytest.importorskip("torch")
    from initspec.conformance.targets.text import Reference

    with pytest.raises(UnknownName) as caught:
        Reference.parse("torch.nn.init:nope").find()
    known = caught.value.known
    assert "kaiming_normal_" in known
    assert not {"Literal", "TypeVar", "Callable", "ParamSpec", "math"} & set(known)
    assert not any(name.startswith("_") for name in known)
    with pytest.raises(UnknownName, match="did you mean 'kaiming_normal', 'kaiming_normal_'"):
        Reference.parse("torch.nn.init:kaiming_norml").find()


@pytest.mark.parametrize(
    ("module", "dialect"),
    [
        ("torch.nn.init", "torch"),
        ("keras.src.initializers.random_initializers", "keras"),
        ("tf_keras.src.initializers.initializers", "keras"),
        ("tensorflow.python.keras.initializers.initializers_v2", "keras"),
        ("tensorflow.python.ops.init_ops_v2", "tensorflow"),
        ("jax._src.nn.initializers", "jax"),
        ("flax.linen.initializers", "flax"),
        ("haiku._src.initializers", "haiku"),
        ("sonnet.src.initializers", "sonnet"),
        ("timm.layers.weight_init", "timm"),
        ("torch.nn.functional", None),
        ("mine.keras.init", None),
        ("init", None),
        ("", None),
    ],
)
def test_a_module_of_initializers_has_a_dialect(module: str, dialect: str | None) -> None:
    assert dialect_of_module(module) == dialect
