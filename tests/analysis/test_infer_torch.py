"""What PyTorch's own layers are inferred to have drawn."""

import pytest

from initspec import infer

torch = pytest.importorskip("torch")

LINEAR = "he_uniform@torch(a=2.23606797749979)"  # 1 / fan_in in place of the variance 2 / fan_in


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_layers(dtype: str) -> None:
    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    linear = torch.nn.Linear(300, 100).to(kind)
    assert LINEAR in infer(linear.weight, framework="torch").names
    assert LINEAR in infer(linear.weight).names
    bias = infer(torch.nn.Linear(300, 2000).bias, framework="torch")
    assert bias.groups == ()
    assert "a limit of about 1 / sqrt(300)" in bias.sentence
    conv = torch.nn.Conv2d(32, 48, (5, 3), groups=4).to(kind)
    assert LINEAR in infer(conv.weight, "torch.Conv2d, groups=4", "torch").names
    embedding = torch.nn.Embedding(100, 64).to(kind)
    assert "normal@torch" in infer(embedding.weight, framework="torch").names
    orthogonal = torch.nn.init.orthogonal_(torch.empty(64, 24, 3), 2.0)
    assert "orthogonal@torch(gain=2.0)" in infer(orthogonal.to(kind), framework="torch").names


def test_trained_weights_are_none_of_ours() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 96), torch.nn.Tanh(), torch.nn.Linear(96, 8))
    x = torch.randn(512, 8) @ torch.randn(8, 64)  # data has few directions
    y = x[:, :8].sin()
    step = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(200):
        step.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        step.step()
    assert infer(model[0].weight, framework="torch").groups == ()
