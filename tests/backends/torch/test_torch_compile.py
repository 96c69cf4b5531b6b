"""Where programs are read before they run: torch.compile, FakeTensorMode, vmap, make_fx, Triton."""

import io
import subprocess
import sys
import types
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import initspec
from initspec import SpecError, get, stream

torch = pytest.importorskip("torch", reason="the PyTorch backend needs torch")
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.func import functional_call, vmap
from torch.fx.experimental.proxy_tensor import make_fx

HE = get("he_normal")
SPECS = [
    "he_normal", "he_normal@torch", "glorot_uniform", "zeros",
    "normal(mean=0.7, std=0.1)", "uniform(-0.3, 0.9)",
    "orthogonal", "sparse(sparsity=0.3, std=1.0)", "identity",
]  # fmt: skip
CUSTOM = get(lambda shape: np.ones(shape))


def compiled(function: Any, *arguments: Any, **options: Any) -> Any:
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, **options)(*arguments)


def equal(one: Any, other: Any) -> bool:
    """Whether two tensors hold the same bits."""
    kind = {2: torch.int16, 4: torch.int32, 8: torch.int64}[one.itemsize]
    return torch.equal(one.detach().view(kind), other.detach().view(kind))


# torch.compile


@pytest.mark.parametrize("spec", SPECS)
def test_a_compiled_program_draws_the_same_bits(spec: str) -> None:
    scheme, weight = get(spec), nn.Parameter(torch.full((16, 12), 7.0))

    def fill(weight: Any) -> Any:
        return scheme.torch_(weight, seed=2**64 - 5, name="w", layout="oi") * 1

    expected = scheme.torch((16, 12), seed=2**64 - 5, name="w", layout="oi")
    assert equal(compiled(fill, weight), expected)  # read in the program, after it was written
    assert equal(weight, expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_compiled_with_a_mean_in_every_dtype(dtype: Any) -> None:
    scheme, weight = get("normal(mean=0.7, std=0.1)"), torch.empty(64, 48, dtype=dtype).T
    compiled(lambda weight: scheme.torch_(weight, seed=1), weight)
    assert equal(weight.contiguous(), scheme.torch((48, 64), seed=1, dtype=dtype))


def test_compiled_without_a_seed_manual_seed_governs() -> None:
    orthogonal = get("orthogonal")

    def fill(one: Any, two: Any) -> None:
        HE.torch_(one)
        orthogonal.torch_(two)
        HE.torch_(one[:3])
        HE.torch_(one[3:], name="rest")

    pairs = []
    for run in (fill, lambda *pair: compiled(fill, *pair)):
        pairs.append([nn.Parameter(torch.full((8, 8), 7.0)) for _ in range(2)])
        torch.manual_seed(3)
        run(*pairs[-1])
    assert equal(pairs[0][0], pairs[1][0])
    assert equal(pairs[0][1], pairs[1][1])


def test_compiled_shapes_and_seeds_may_vary() -> None:
    torch._dynamo.reset()
    fill = torch.compile(lambda weight, seed: HE.torch_(weight, seed=seed), fullgraph=True)
    for size in (3, 4, 5):
        assert equal(fill(torch.empty(size, size + 1), size), HE.torch((size, size + 1), seed=size))


def test_compiled_new_tensors_and_native() -> None:
    assert equal(compiled(lambda: HE.torch((3, 4), seed=1)), HE.torch((3, 4), seed=1))
    native = compiled(lambda: HE.torch((3, 4), seed=1, stream="native"))
    assert equal(native, HE.torch((3, 4), seed=1, stream="native"))


def test_compiled_loaded_weights_are_kept() -> None:
    weight = nn.Parameter(torch.full((3, 3), 7.0))
    weight._is_hf_initialized = True  # type: ignore[attr-defined]
    compiled(lambda weight: HE.torch_(weight, seed=1), weight)
    assert (weight == 7).all()


_GENERATOR = torch.Generator()


@pytest.mark.parametrize(
    ("fill", "shape", "sentence"),
    [
        (lambda w: HE.torch_(w, generator=_GENERATOR), (3, 3), "takes no generator=: give seed="),
        (lambda w: HE.torch_(w, seed=-1), (3, 3), "a seed is an integer from 0"),
        (lambda w: HE.torch_(w, seed=0), (3,), "he_normal scales by fans"),
        (lambda w: CUSTOM.torch_(w, seed=0), (3, 3), "is code, which a traced program"),
        (
            lambda w: HE.torch((3, 3), seed=0, window=(slice(0, 1), slice(0, 1))),
            (3, 3),
            "takes no window=",
        ),
    ],
)
def test_compiled_refusals_hold_their_sentence(fill: Any, shape: Any, sentence: str) -> None:
    weight = torch.full(shape, 7.0)
    with pytest.raises(Exception, match=sentence):
        compiled(fill, weight)
    assert (weight == 7).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("spec", ["normal(mean=0.7, std=0.1)", "uniform(-0.3, 0.9)"])
def test_inductor_rounds_the_product_and_the_sum_apart(spec: str, dtype: Any) -> None:
    """The last step of the integer kernel, compiled: its numbers are those of the reference.

    Inductor of PyTorch 2.13 does not fuse on the CPU, with the guard or without it.
    """
    from initspec.backends.torch import kernel

    draw, table = get(spec).on((4,)).draw, kernel.table(torch.device("cpu"))
    words = stream.words((1, 2), np.arange(5000, dtype=np.uint64))
    name = "float64" if dtype == torch.float64 else "float32"
    expected = torch.from_numpy(stream.values(words, draw, name)).to(dtype)
    found = compiled(
        lambda word: kernel.numbers(word, draw, dtype, table),
        torch.from_numpy(words.astype(np.int64)),
    )
    assert equal(found, expected)
    fused = stream.values(words, draw, "float64").astype(np.float32)
    assert (fused != stream.values(words, draw)).any()  # so that a fused sum would show


def test_the_operator_is_as_pytorch_wants_them() -> None:
    from initspec.spec.serial import dumps

    arguments = (torch.zeros(3, 4), 1, dumps(HE, "json"), None, "w", "portable")
    torch.library.opcheck(torch.ops.initspec.fill_, arguments)


# Fake tensors and make_fx


@pytest.mark.parametrize("spec", SPECS)
def test_fake_tensors_keep_their_shape(spec: str) -> None:
    with FakeTensorMode():
        layer, scheme = nn.Linear(6, 6), get(spec)
        assert scheme.torch_(layer.weight, layout="oi") is layer.weight
        assert isinstance(scheme.torch((6, 6), seed=0), FakeTensor)
        assert scheme.torch((6, 6), seed=0).shape == (6, 6)
        CUSTOM.torch_(layer.weight)
        with pytest.raises(Exception, match="scales by fans"):
            HE.torch_(layer.bias, seed=0)
    scheme.torch_(layer.weight, seed=0)  # also outside of the mode


def test_make_fx_records_the_fill() -> None:
    program = make_fx(lambda w: HE.torch_(w, seed=1) + 1, tracing_mode="fake")(torch.zeros(3, 4))
    weight = torch.zeros(3, 4)
    assert torch.equal(program(weight), HE.torch((3, 4), seed=1) + 1)
    assert equal(weight, HE.torch((3, 4), seed=1))
    with pytest.raises(SpecError, match="is code"):
        make_fx(lambda w: CUSTOM.torch_(w, seed=1), tracing_mode="fake")(torch.zeros(3, 4))


# vmap and grad


@pytest.mark.parametrize("before", [False, True])
def test_make_fx_on_real_tensors_records_the_fill(before: bool) -> None:
    kept = make_fx(lambda w: HE.torch_(w, seed=1), pre_dispatch=before)(torch.zeros(4, 4))
    assert equal(kept(torch.zeros(4, 4)), HE.torch((4, 4), seed=1))
    new = make_fx(lambda w: HE.torch((4, 4), seed=1) + w, pre_dispatch=before)(torch.zeros(4, 4))
    assert equal(new(torch.zeros(4, 4)), HE.torch((4, 4), seed=1))


def test_torch_jit_trace_records_the_fill() -> None:
    traced = torch.jit.trace(lambda w: HE.torch_(w, seed=1) * 1, torch.zeros(4, 4))
    assert equal(traced(torch.zeros(4, 4)), HE.torch((4, 4), seed=1))


def test_get_inside_a_compiled_program() -> None:
    kept = compiled(lambda w: get("normal", std=0.5).torch_(w, seed=1), torch.zeros(4, 4))
    assert equal(kept, get("normal", std=0.5).torch((4, 4), seed=1))
    new = compiled(lambda w: w + get("he_normal").torch((4, 4), seed=1), torch.zeros(4, 4))
    assert equal(new, HE.torch((4, 4), seed=1))


MAKERS: dict[str, tuple[Any, Any]] = {
    "get": (lambda: get("he_normal"), HE),
    "get a scheme": (lambda: get(HE), HE),
    "get twice": (lambda: get(get("he_normal")), HE),
    "get a mapping": (lambda: get({"distribution": "normal", "std": 0.1}), get("normal(std=0.1)")),
    "replace": (lambda: HE.replace(gain=2.0), HE.replace(gain=2.0)),
    "replace twice": (
        lambda: get("he_normal").replace(gain=2.0).replace(mode="FAN_OUT"),
        HE.replace(gain=2.0, mode="FAN_OUT"),
    ),
    "from_torch": (
        lambda: initspec.from_torch("kaiming_normal_", a=0.2),
        initspec.from_torch("kaiming_normal_", a=0.2),
    ),
    "from_torch, the function": (
        lambda: initspec.from_torch(nn.init.kaiming_normal_, a=0.2),
        initspec.from_torch("kaiming_normal_", a=0.2),
    ),
    "from_keras": (lambda: initspec.from_keras("HeNormal"), get("he_normal@keras")),
    "from_jax": (lambda: initspec.from_jax("he_normal"), get("he_normal@jax")),
    "from_call": (lambda: initspec.from_call("caffe", "msra"), get("he_normal@caffe")),
    "loads": (lambda: initspec.loads('{"distribution": "normal", "std": 0.1}', "json"),
              get("normal(std=0.1)")),
}  # fmt: skip


@pytest.mark.parametrize("maker", MAKERS)
def test_a_scheme_that_a_compiled_program_makes(maker: str) -> None:
    make, scheme = MAKERS[maker]
    kept = compiled(lambda w: make().torch_(w, seed=1), torch.zeros(4, 6))
    assert equal(kept, scheme.torch((4, 6), seed=1))
    new = compiled(lambda w: w + make().torch((4, 6), seed=1, name="w"), torch.zeros(4, 6))
    assert equal(new, scheme.torch((4, 6), seed=1, name="w"))
    init = compiled(
        lambda w: initspec.initializer(make(), "torch", seed=1)(w, name="w"), torch.zeros(4, 6)
    )
    assert equal(init, new)


def test_an_initializer_that_a_compiled_program_makes() -> None:
    backend, zeros = initspec.backend, torch.zeros(4, 6)
    for program in (
        lambda w: initspec.initializer("he_normal", backend="torch", seed=1)(w),
        lambda w: backend("torch").initializer(HE, dtype="float32")(w, seed=1),
        lambda w: backend("torch").fill(HE, w, seed=1),
    ):
        assert equal(compiled(program, zeros.clone()), HE.torch((4, 6), seed=1))
    with pytest.raises(Exception, match=r"option sed= is nothing that torch.compile can read"):
        compiled(lambda w: initspec.initializer("he_normal", "torch", sed=1)(w), torch.zeros(4, 6))


NOT_HELD: dict[str, tuple[Any, str]] = {
    "law": (lambda w: w * HE.on((4, 6)).std, r"initspec's Scheme\.on gives what no program holds"),
    "law of a new one": (lambda w: w * get("he_normal").on((4, 6)).std, "a scheme's on is nothing"),
    "array": (lambda w: w + torch.from_numpy(HE.numpy((4, 6), seed=1)), r"Scheme\.numpy gives"),
    "fans": (lambda w: w * initspec.fans((4, 6)).fan_in, "initspec's fans gives"),
    "rows": (lambda w: initspec.schemes["he_normal"].make().torch_(w), r"Registry\.__getitem__"),
    "fields": (lambda w: initspec.Scheme(distribution="normal", std=0.1).torch_(w), r"Scheme\("),
    "unknown": (lambda w: get("he_norml").torch_(w), "did you mean 'he_normal'"),
    "code": (lambda w: get(lambda shape: 1.0).torch_(w), "fill the tensor outside of it"),
}


@pytest.mark.parametrize("kind", NOT_HELD)
def test_what_no_program_holds_is_a_sentence(kind: str) -> None:
    program, sentence = NOT_HELD[kind]
    with pytest.raises(Exception, match=sentence):
        compiled(program, torch.zeros(4, 6))


def test_a_program_in_parts_has_the_law_too() -> None:
    program = torch.compile(lambda w: (w + 1) * HE.on((4, 6)).std, backend="eager")
    assert torch.allclose(program(torch.zeros(4, 6)), torch.full((4, 6), HE.on((4, 6)).std))


class _Draws(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return x + HE.torch((4, 4), seed=1)


def test_an_exported_program_that_draws_is_saved() -> None:
    file = io.BytesIO()
    torch.export.save(torch.export.export(_Draws(), (torch.zeros(4, 4),)), file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    assert equal(loaded(torch.zeros(4, 4)), HE.torch((4, 4), seed=1))


def test_functionalize_is_refused() -> None:
    with pytest.raises(SpecError, match="functionalize has no way"):
        torch.func.functionalize(lambda w: HE.torch_(w, seed=1))(torch.zeros(4, 4))


def test_vmap_of_a_constant_needs_no_randomness() -> None:
    ones = torch.vmap(lambda w: get("ones").torch_(w))(torch.zeros(3, 4, 4))
    assert (ones == 1).all()


def test_vmap_with_a_seed_gives_each_example_the_same() -> None:
    for spec in SPECS[:4] + SPECS[6:8]:
        scheme, stack = get(spec), torch.full((4, 5, 4), 7.0)
        vmap(lambda weight, scheme=scheme: scheme.torch_(weight, seed=1), in_dims=1)(stack)
        expected = scheme.torch((4, 4), seed=1)
        for example in stack.unbind(1):
            assert equal(example.contiguous(), expected)


def test_vmap_obeys_its_randomness() -> None:
    def drawn(randomness: str) -> Any:
        torch.manual_seed(0)
        stack = torch.zeros(5, 3, 4)
        return vmap(lambda weight: HE.torch_(weight.clone()), randomness=randomness)(stack)

    same, different = drawn("same"), drawn("different")
    assert all(equal(example, same[0]) for example in same)
    assert equal(same[0], _seeded(0))
    assert len({tuple(example.flatten().tolist()) for example in different}) == 5
    assert equal(different[0], _seeded(0))
    with pytest.raises(SpecError, match="vmap with randomness='error' draws no numbers"):
        drawn("error")
    shared = torch.zeros(3, 4)
    with pytest.raises(RuntimeError, match="randomness"):
        vmap(lambda x: HE.torch_(shared) + x, randomness="different")(torch.zeros(5))
    assert (shared == 0).all()


def _seeded(seed: int) -> Any:
    torch.manual_seed(seed)
    return HE.torch((3, 4))


def test_ensembles_are_drawn_under_vmap() -> None:
    layer = nn.Linear(4, 3, bias=False)

    def run(weight: Any, x: Any) -> Any:
        return functional_call(layer, {"weight": HE.torch_(weight.clone(), seed=1)}, (x,))

    out = vmap(run, in_dims=(0, None))(torch.empty(2, 3, 4), torch.ones(1, 4))
    assert torch.allclose(out[0], HE.torch((3, 4), seed=1).sum(1))


def test_under_torch_func_grad() -> None:
    gradient = torch.func.grad(lambda w: (HE.torch_(torch.empty(3, 4), seed=0) * w).sum())
    assert equal(gradient(torch.ones(3, 4)), HE.torch((3, 4), seed=0))


# Triton

_INTERPRETED = """
import numpy as np, torch
from initspec import get, stream
from initspec.backends.torch import kernel_triton
from initspec.stream import dtypes
from initspec.stream.canonical_order import blocks
from initspec.spec.layout import Layout

def reference(key, block):
    index = np.full(block.shape, block.base, np.uint64)
    for axis, stride in enumerate(block.strides):
        steps = np.arange(block.shape[axis], dtype=np.uint64) * np.uint64(stride)
        index += steps.reshape([-1 if n == axis else 1 for n in range(len(block.shape))])
    return stream.words(key, index)

specs = ("he_normal", "he_normal@torch", "glorot_uniform", "uniform(-0.3, 0.9)",
         "normal(mean=0.7, std=0.1)", "truncated_normal(mean=-0.2, std=0.3)")
big = (slice(2**39 + 1, 2**39 + 9), slice(2**23, 2**23 + 9))
checked = 0
for spec in specs:
    for shape, layout, window in (
        ((12, 5, 3, 3), "oihw", None),
        ((12, 107), "oi, stack=3", (slice(2, 11), slice(1, 106))),
        ((2**40, 2**24), "oi", big),
        ((7,), "o", None),
        ((), "", None),
    ):
        if len(shape) < 2 and "mean" not in spec:
            continue
        law, axes, key = get(spec).on(shape, layout), Layout.parse(layout), (3, 2**31 + 7)
        size = shape if window is None else tuple(part.stop - part.start for part in window)
        for dtype in dtypes.DTYPES:
            kind = getattr(torch, dtype)
            memory = torch.full((*size[::-1], 2), 7.0, dtype=kind)
            out = memory[..., 1].permute(tuple(reversed(range(len(size)))))
            kernel_triton.fill(out, blocks(shape, axes, window), key, law.draw)
            for block in blocks(shape, axes, window):
                word = reference(key, block)
                expected = dtypes.rounded(stream.values(word, law.draw, dtype), dtype)
                part = out[block.part].reshape(block.shape).contiguous()
                bits = part.view({2: torch.int16, 4: torch.int32, 8: torch.int64}[part.itemsize])
                assert (bits.numpy() == expected.view(f"i{part.itemsize}")).all(), (spec, shape, dtype)
                checked += 1
            assert (memory[..., 0] == 7).all()
print(checked)
"""

_PTX = """
import re, sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from initspec.backends.torch import kernel_triton

for dtype in ("fp32", "fp64"):
    source = ASTSource(
        fn=kernel_triton._fill,
        signature={"out": "*" + dtype, "numbers": "*i64", "chords": "*i32", "RANK": "constexpr",
                   "KIND": "constexpr", "SHIFTED": "constexpr", "TINY": "constexpr",
                   "BLOCK": "constexpr"},
        constexprs={"RANK": 2, "KIND": 2, "SHIFTED": True, "TINY": False, "BLOCK": 1024},
    )
    target = GPUTarget("cuda", 90, 32)
    found = triton.compile(source, target=target, options={"enable_fp_fusion": True})
    assert re.search(r"\\badd\\.(rn\\.)?f(32|64)", found.asm["ptx"]), "the sum is somewhere"
    assert not re.search(r"\\bfma\\.", found.asm["ptx"]), "fused"
"""

needs_triton = pytest.mark.skipif(
    find_spec("triton") is None, reason="Triton is not installed: pip install triton"
)


@needs_triton
def test_triton_interpreted_agrees_with_the_reference() -> None:
    assert int(_run(_INTERPRETED, TRITON_INTERPRET="1")) > 60


@needs_triton
def test_triton_compiled_does_not_fuse_the_sum() -> None:
    """In the code for a GPU, which is made without one, though Triton is allowed to fuse."""
    _run(_PTX)


def test_triton_is_not_loaded_beside_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has loaded TensorFlow crashes where it loads Triton."""
    from initspec.backends.torch import kernel, writing

    monkeypatch.setattr(writing, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    monkeypatch.delitem(sys.modules, "triton", raising=False)
    chosen = writing._device_kernel.__wrapped__("cuda")
    assert chosen is kernel.fill


def _run(script: str, **environment: str) -> str:
    import os

    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
