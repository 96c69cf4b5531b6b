"""Names of layers as layouts: they are read from the tables of what layers draw."""

import subprocess
import sys

import pytest

from initspec import Fans, Layout, LayoutError, UnknownName, fans
from initspec.layers.defaults import frameworks, table
from initspec.spec.layer_layouts import in_name, names, place
from initspec.spec.layout import layers


def test_a_name_and_the_table_say_one_layout() -> None:
    """On the sizes of an example, for every parameter that a name of a layout means."""
    count = 0
    sizes = {
        "in": 8, "out": 12, "groups": 1, "multiplier": 2, "vocab": 30, "hidden": 6, "heads": 2,
        "head_dim": 3, "kdim": 5, "vdim": 7, "rank": 3, "in1": 3, "in2": 4, "kv_heads": 2,
        "places": (2,) * 2,
    }  # fmt: skip
    for framework in frameworks():
        for row in table(framework):
            k = (3,) * in_name(row.name).get("dims", 2)
            for parameter in row.values():
                name = f"{framework}.{row.name}.{parameter.name.replace('/', '.')}"
                try:
                    named = Layout.parse(name)
                except (UnknownName, LayoutError):
                    continue
                wanted = parameter.layout_on({**sizes, "k": k})
                if "groups=in" in (
                    parameter.layout or ""
                ):  # the name alone: a group for each output
                    wanted = Layout(wanted.axes.replace("io", "og"))
                assert named == wanted, name
                count += 1
    assert count > 300


def test_a_depthwise_kernel_does_not_tell_its_groups() -> None:
    assert fans((3, 3, 1, 64), "haiku.DepthwiseConv2D") == Fans(9, 9)
    assert fans((3, 3, 1, 64), "haiku.DepthwiseConv2D, groups=64") == Fans(9, 9)
    assert fans((3, 3, 1, 64), "haiku.DepthwiseConv2D, groups=32") == Fans(9, 18)


def test_the_number_of_axes_says_what_a_name_leaves_open() -> None:
    assert fans((5, 16, 48), "flax.Conv") == Fans(80, 240)
    assert fans((2, 3, 5, 16, 48), "flax.nnx.Conv") == Fans(480, 1440)
    assert fans((256, 512), "flax.DenseGeneral") == fans((256, 8, 64), "keras.EinsumDense")
    assert str(Layout.parse("flax.Conv")) == "hwio"
    with pytest.raises(LayoutError, match="names 4 axes"):
        fans((5, 16, 48), "torch.Conv2d")


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("torch.nn.Conv2d", "oihw"),
        ("keras.layers.Dense", "io"),
        ("nnx.GRUCell", "io, stack=3"),
        ("flax.nnx.GRUCell.dense_h", "io, stack=3"),
        ("flax.nnx.GRUCell.recurrent", "io, stack=3"),
        ("keras.SeparableConv2D.pointwise", "hwio"),
        ("keras.MultiHeadAttention.attention_output", "nio"),
        ("torch.MultiheadAttention.out_proj", "oi"),
        ("torch.LSTM.weight_hr_l0", "oi"),
        ("flax.ConvTranspose.transpose_kernel", "hwoi, transposed"),
        ("sklearn.MLPClassifier", "io"),
    ],
)
def test_ways_to_name_a_parameter(name: str, layout: str) -> None:
    assert str(Layout.parse(name)) == layout


@pytest.mark.parametrize(
    "name",
    ["torch.Conv2", "torhc.Conv2d", "torch.Xyzzy", "flax.Transformer", "keras.MultiHeadAttention"],
)
def test_an_unknown_layer_is_answered_with_at_most_five(name: str) -> None:
    with pytest.raises(UnknownName) as caught:
        Layout.parse(name)
    assert 1 <= len(caught.value.known) <= 5


def test_names_of_layers_are_places_in_the_tables() -> None:
    assert place("mxnet.gluon.nn.Dense") == ("mxnet", "Dense")
    assert {name.partition(".")[0] for name in layers()} == {
        *frameworks(), "sklearn", "transformers"
    } - {"nnx"}  # fmt: skip
    assert "flax.nnx.Linear" in names("nnx")


def test_one_name_reads_one_framework() -> None:
    code = (
        "from initspec.spec import layer_layouts as it; from initspec import Layout;"
        "read = []; document = it.document;"
        "it.document = lambda stem: read.append(stem) or document(stem);"
        "Layout.parse('torch.Conv2d'); print(*sorted(set(read)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["kinds", "torch"]
