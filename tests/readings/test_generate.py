"""Schemes as source text: which call, which arguments, and what cannot be said."""

import pytest

import initspec
from initspec.commands.main import main
from initspec.errors import LayoutError, SpecError, UnknownName
from initspec.readings.registry import rows


@pytest.mark.parametrize(
    ("scheme", "to", "source"),
    [
        ("he_normal@torch", "torch", "torch.nn.init.kaiming_normal_(weight)"),
        (
            "he_normal@torch(a=0.2, mode='fan_out')",
            "torch",
            "torch.nn.init.kaiming_normal_(weight, a=0.2, mode='fan_out')",
        ),
        ("lecun_uniform", "torch", "torch.nn.init.kaiming_uniform_(weight, a=1.0)"),
        (
            "truncated_normal(std=0.02)",
            "torch",
            "torch.nn.init.trunc_normal_(weight, std=0.02, a=-0.04, b=0.04)",
        ),
        ("he_normal", "keras", "keras.initializers.HeNormal()"),
        (
            "he_normal@torch",
            "keras",
            "keras.initializers.VarianceScaling(scale=2.0, distribution='untruncated_normal')",
        ),
        (
            "he_normal@torch",
            "jax",
            "jax.nn.initializers.variance_scaling(scale=2.0, mode='fan_in', distribution='normal')",
        ),
        ("zeros", "jax", "jax.nn.initializers.zeros"),
        ("zeros", "flax", "flax.linen.initializers.zeros_init()"),
        ("glorot_uniform", "mxnet", "mx.init.Xavier()"),
        ("he_normal@torch", "neupy", "neupy.init.HeNormal(gain=2.0)"),
        ("normal(std=0.02)", "haiku", "hk.initializers.RandomNormal(stddev=0.02)"),
    ],
)
def test_one_call(scheme: str, to: str, source: str) -> None:
    found = initspec.generate(scheme, to)
    assert found.source == source
    assert found.call


@pytest.mark.parametrize("name", [row.name for row in rows("torch") if row.until is None])
@pytest.mark.parametrize("to", ["torch", "keras", "jax", "flax"])
def test_every_scheme_can_be_said_in_some_way(name: str, to: str) -> None:
    found = initspec.generate(name, to)
    assert found.source
    assert found.call or "cannot say it in one call" in found.note


def test_a_dialects_own_row_is_its_own_call() -> None:
    """With no argument but those that have no default, and the least of them where two agree."""
    for to in ("torch", "keras", "jax"):
        for row in rows(to):
            if row.until is None and not row.required and "(" not in row.call:
                found = initspec.generate(row.name, to)
                assert found.call
                assert not found.note
                same = initspec.get(row.name)
                read = initspec.from_call(to, found.source.split("(")[0].rpartition(".")[2])
                flat = same.distribution not in ("dirac", "delta_orthogonal")
                where = ((24, 16), "io") if flat else ((3, 3, 16, 24), "hwio")
                assert initspec.equivalent(read, same, *where), row.name


def test_numbers_for_a_shape() -> None:
    found = initspec.generate("he_normal", "keras", (3, 3, 32, 2), "hwgo")
    assert found.source.startswith("keras.initializers.TruncatedNormal(stddev=0.5359149")
    assert "(3, 3, 32, 2), layout 'hwgo'" in found.note
    plain = initspec.generate("he_normal", "keras", (24, 16), "io")
    assert plain.source == "keras.initializers.HeNormal()"
    assert not plain.note  # there all fans agree


def test_other_fans_are_said() -> None:
    note = initspec.generate("he_normal", "keras").note
    assert "Keras counts fans by the rule 'naive', the scheme by 'true'" in note
    assert not initspec.generate("he_normal@keras", "keras").note


def test_several_lines() -> None:
    found = initspec.generate("he_normal", "torch")
    assert not found.call
    assert "PyTorch cannot say it in one call" in found.note
    assert found.source.splitlines()[-1] == (
        "torch.nn.init.trunc_normal_(weight, std=std, a=-2.0 * std, b=2.0 * std)"
    )


def test_our_adapter_where_the_framework_has_nothing() -> None:
    found = initspec.generate("sparse", "jax")
    assert found.source == "import initspec\n\ninitspec.get('sparse').jax"
    assert found.note == "JAX cannot say it in one call: it has no sparse law."
    with pytest.raises(SpecError, match="counts zeros for each output unit, not for each input"):
        initspec.generate("sparse@torch", "mlx")
    custom = initspec.get({"distribution": "normal", "mode": "FAN_IN", "bias_unit": True})
    text = initspec.generate(custom, "keras").source
    made = eval(text.splitlines()[-1].removesuffix(".keras()"), {"initspec": initspec})
    assert made == custom


def test_what_cannot_be_said_at_all() -> None:
    with pytest.raises(SpecError, match="Caffe cannot say it in one call: it has no truncated"):
        initspec.generate("he_normal", "caffe")
    with pytest.raises(UnknownName, match="'keras'"):
        initspec.generate("he_normal", "kera")
    with pytest.raises(LayoutError):
        initspec.generate("he_normal", "torch", (5,))


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "he_normal", "--to", "torch"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("# PyTorch cannot say it in one call")
    assert out[-1].startswith("torch.nn.init.trunc_normal_(")
    assert main(["generate", "he_normal", "--to", "keras", "--json"]) == 0
    assert '"call": true' in capsys.readouterr().out
    assert main(["generate", "he_normal", "--to", "caffe"]) == 2
