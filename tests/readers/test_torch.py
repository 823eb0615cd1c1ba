"""Modules of PyTorch, drawn or written down: what is read, and what is refused."""

import doctest
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings

from erf_theory import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import AvgPool, Conv, Global, Norm, Scale, from_dict, to_dict
from erf_theory.readers.torch import read_torch
from tests.readers.drawn import modules
from tests.readers.models import in_doubles, rebuilt, timm_model

pytestmark = pytest.mark.torch


@settings(max_examples=200)
@given(modules())
def test_a_drawn_module_is_read_as_it_computes(case):
    import torch

    module, shape = case
    image = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    module = module.double()
    try:
        with torch.no_grad():
            module.eval()(image)
    except RuntimeError:
        assume(condition=False)  # nothing is left of the image
    module = in_doubles(module)
    module.train()
    network = read_torch(module, image.detach())
    assert all(part.training for part in module.modules())
    wanted, found = module.eval()(image), None
    mirror = image.detach().clone().requires_grad_()
    found = rebuilt(network)(mirror).reshape(wanted.shape)
    assert (found - wanted).abs().max() <= 1e-11 * (1 + wanted.abs().max())
    direction = torch.randn(wanted.shape, dtype=torch.float64)
    (one,), (other,) = (
        torch.autograd.grad(y, x, direction) for y, x in ((wanted, image), (found, mirror))
    )
    assert (one - other).abs().max() <= 1e-9 * (1 + one.abs().max())


def example(*shape):
    import torch

    return torch.zeros(1, *shape)


def layers(network):
    return {node.name: node.layer for node in network.nodes}


def function(forward, **parts):
    """A module that is a function of itself and an image."""
    from torch import nn

    class Written(nn.Module):
        def __init__(self):
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

        def forward(self, x):
            return forward(self, x)

    return Written()


def convs(*channels, size=3):
    from torch import nn

    return nn.Sequential(*(nn.Conv2d(a, b, size, padding=size // 2) for a, b in pairwise(channels)))


def test_names_are_module_paths_and_functions_have_that_of_the_module_around():
    from torch import nn

    relu = nn.ReLU()
    block = function(
        lambda own, x: own.act(own.act(own.conv(x)) + x),
        conv=nn.Conv2d(4, 4, 3, padding=1),
        act=relu,
    )
    network = read_torch(nn.Sequential(nn.Conv2d(3, 4, 1), block), example(3, 8, 8))
    assert list(layers(network)) == ["0", "1.conv", "1.act", "1.add", "1.act_1"]
    assert network.place_of("1") == network.place_of("1.act_1") == 4


def test_weights_as_given_by_law_or_by_another_law():
    from torch import nn

    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1, bias=False))
    nn.init.uniform_(module[1].weight)
    given_, drawn, he = (
        layers(read_torch(module, example(2, 8, 8), weights=name))
        for name in ("given", "law", "he")
    )
    assert np.array_equal(given_["0"].given_weights, module[0].weight.detach().numpy())
    assert np.array_equal(given_["1"].scale.array, module[1].weight.detach().numpy())
    assert drawn["0"] == Conv(2, 4, 3, init="pytorch", bias_variance=Fraction(1, 54))
    assert drawn["2"] == Conv(4, 4, 1, init="pytorch")
    assert drawn["1"] == he["1"] == Norm()
    assert he["0"] == Conv(2, 4, 3)


def test_fixed_weights_are_no_draw_of_a_law():
    import torch
    from torch import nn

    blur = function(lambda own, x: nn.functional.conv2d(x, own.taps, groups=2))
    blur.register_buffer("taps", torch.ones(2, 1, 3, 3) / 9)
    found = layers(
        read_torch(nn.Sequential(nn.Conv2d(2, 2, 3), blur), example(2, 8, 8), weights="he")
    )
    assert found["0"] == Conv(2, 2, 3)
    assert found["1"].given_weights == pytest.approx(1 / 9)


def test_weights_that_a_module_computes_are_those_it_computes():
    from torch import nn

    conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 3, 3))
    module = nn.Sequential(conv)
    assert np.allclose(
        layers(read_torch(module, example(2, 8, 8)))["0.conv2d"].given_weights,
        conv.weight.detach().numpy(),
    )
    drawn = layers(read_torch(module, example(2, 8, 8), weights="he"))
    assert drawn["0.conv2d"] == Conv(2, 3, 3)


def test_every_part_is_as_it_was_and_so_are_the_weights():
    import torch
    from torch import nn

    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
    module[1].eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network = read_torch(module, torch.randn(1, 3, 8, 8))
    assert [part.training for part in module.modules()] == [True, True, False, True]
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert all(tensor.grad is None for tensor in module.parameters())
    assert list(layers(network)) == ["0", "1"]


def test_a_law_draws_no_weights_that_two_places_share():
    one = convs(4, 4)
    module = function(lambda own, x: own.one(own.one(x)), one=one)
    with pytest.raises(ErfTheoryError, match=r"nodes one.0, one.0_1 share their weights"):
        read_torch(module, example(4, 8, 8), weights="law")
    assert list(layers(read_torch(module, example(4, 8, 8)))) == ["one.0", "one.0_1"]


def test_what_a_module_gives_back_beside_its_first_output_stays_where_it_is():
    import torch

    module = function(
        lambda own, x: {"a": own.one(x), "b": torch.softmax(own.two(x), 1)},
        one=convs(3, 2),
        two=convs(3, 4),
    )
    network = read_torch(module, example(3, 8, 8))
    assert list(layers(network)) == ["one.0", "two.0", "output"]
    assert network.until("two").out_channels == 4
    assert network.remarks == ("outputs that cannot be read are left out: softmax",)


def test_what_depends_on_the_size_of_the_example_is_said():
    from torch import nn

    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(36, 2)
    )
    network = read_torch(module, example(3, 8, 8))
    assert network.remarks == ("frozen to the size of the example: 1, 3",)
    assert layers(network)["1"] == AvgPool(2)
    assert layers(network)["3"].size == 3
    assert (
        network.until("3").remarks
        == network.remarks
        == from_dict(to_dict(network, arrays=True)).remarks
    )


def test_means_that_leave_out_what_lies_beyond_the_border_are_said():
    from torch import nn

    pool = nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)
    network = read_torch(nn.Sequential(nn.Conv2d(3, 4, 3), pool), example(3, 9, 9), weights="he")
    assert layers(network)["1"] == AvgPool(3, 2, 1)
    assert network.remarks[0].endswith("the model leaves them out: 1")


REFUSED = {
    "softmax": (
        lambda own, x: own.one(x).softmax(1),
        r"softmax \(softmax, .*test_torch.py:\d+\): it divides by",
    ),
    "attention": (
        lambda own, x: (y := own.one(x).flatten(2)).transpose(1, 2).matmul(y),
        r"matmul \(matmul, .*\): it multiplies activations with each other, as attention does",
    ),
    "places": (
        lambda own, x: own.two(own.one(x)),
        r"two \(linear, .*\): samples come to places or channels where no layer brings them",
    ),
    "fft": (
        lambda own, x: own.one(x).cumsum(2),
        r"cumsum \(cumsum, .*\): there is no layer for it",
    ),
    "product": (
        lambda own, x: own.one(x) * x[:, :1],
        "multiplies activations with each other at every",
    ),
    "corners": (
        lambda _, x: interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
        "it aligns corners",
    ),
    "fraction": (
        lambda _, x: interpolate(x, size=12),
        r"\(8, 8\) to \(12, 12\), which is not by a whole",
    ),
    "windows": (lambda _, x: adaptive(x, 3), "its windows differ: 8 places are pooled to 3"),
    "channels": (lambda own, x: own.one(x).mean(1, keepdim=True), "it is a mean over channels"),
    "flip": (
        lambda own, x: own.one(x.flip(2)),
        "samples come to places or channels where no layer",
    ),
}


def interpolate(x, **options):
    from torch.nn import functional

    return functional.interpolate(x, **options)


def adaptive(x, size):
    from torch.nn import functional

    return functional.adaptive_avg_pool2d(x, size)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_layer_is_refused_by_name_and_line(name):
    from torch import nn

    forward, message = REFUSED[name]
    module = function(forward, one=convs(3, 3), two=nn.Linear(8, 8))
    with pytest.raises(ErfTheoryError, match=message) as caught:
        read_torch(module, example(3, 8, 8))
    assert "overrides=" in str(caught.value)


def test_all_that_is_refused_is_named_at_once():
    from torch import nn

    block = function(lambda own, x: own.conv(x).softmax(2) + x, conv=nn.Conv2d(4, 4, 3, padding=1))
    other = function(lambda own, x: own.conv(x).cumsum(2) + x, conv=nn.Conv2d(4, 4, 3, padding=1))
    with pytest.raises(ErfTheoryError, match="2 operations") as caught:
        read_torch(nn.Sequential(block, nn.Sequential(other)), example(4, 8, 8))
    lines = str(caught.value).split("\n")
    assert lines[1].startswith("  0.softmax (softmax")
    assert lines[2].startswith("  1.0.cumsum (cumsum")


def test_a_user_says_what_a_part_is():
    from torch import nn

    block = function(lambda own, x: own.conv(x).softmax(2) + x, conv=nn.Conv2d(4, 4, 3, padding=1))
    module = nn.Sequential(nn.Conv2d(3, 4, 1), block)

    def read(**overrides):
        return layers(read_torch(module, example(3, 8, 8), overrides=overrides["said"]))

    assert list(read(said={"1.softmax": "identity"})) == ["0", "1.conv", "1.add"]
    assert read(said={"1.softmax": Scale(0.5)})["1.softmax"] == Scale(0.5)
    assert read(said={"1.soft*": "global"})["1.softmax"] == Global(4)
    assert list(read(said={"1": "identity"})) == ["0"]
    assert read(said={"1": Conv(4, 6, 3, padding=1, init="he")} | {"1": "global"})["1"] == Global(4)
    for said, message in (
        ({"2": "identity"}, "there is no part '2' to override: did you mean"),
        ({"1": "nothing"}, 'becomes a layer, "identity" or "global", not \'nothing\''),
        ({"0": "identity"}, "it is no identity"),
        ({"1": Conv(4, 4, 3)}, r"it would be read with shape \(1, 4, 6, 6\), and it has"),
    ):
        with pytest.raises(ErfTheoryError, match=message):
            read(said=said)


def test_what_depends_on_the_numbers_of_the_input_is_no_network():
    module = function(lambda own, x: own.one(x) if x.sum() > 0 else x, one=convs(3, 3))
    with pytest.raises(ErfTheoryError, match="depends on the numbers of its input"):
        read_torch(module, example(3, 8, 8))


def test_what_export_cannot_do_is_traced_before():
    def counted(own, x):
        own.seen = x  # which torch.export does not allow
        return own.one(x)

    assert list(layers(read_torch(function(counted, one=convs(3, 3)), example(3, 8, 8)))) == [
        "one.0"
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: read_torch(3, None), "a torch.nn.Module is read, not int"),
        (lambda: read_torch(convs(3, 3), [1]), "the example is a tensor, not list"),
        (lambda: read_torch(convs(3, 3), example(3)), r"the example has the shape \(1, 3\)"),
        (
            lambda: read_torch(convs(3, 3), example(4, 8, 8)),
            "cannot read the module with this example",
        ),
        (lambda: read_torch(convs(3, 3), example(3, 8, 8), weights="new"), "not 'new'"),
    ],
    ids=["module", "example", "shape", "channels", "weights"],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ErfTheoryError, match=message):
        call()


def test_an_in_place_operator_changes_what_sees_the_same_numbers():
    def forward(own, x):
        y = own.one(x)
        left = y[:, :2]
        y.mul_(2)
        return torch.cat([left, y], 1)

    import torch

    module = in_doubles(function(forward, one=convs(3, 4)))
    image = torch.randn(1, 3, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(rebuilt(read_torch(module, image))(image), module(image))


def test_the_example_in_the_docstring_runs():
    text = read_torch.__doc__.replace("  # doctest: +SKIP", "")
    found = doctest.DocTestParser().get_doctest(text, {}, "read_torch", None, None)
    assert len(found.examples) == 7
    assert doctest.DocTestRunner(verbose=False).run(found).failed == 0


@pytest.mark.parametrize(("what", "attentions"), [("identity", 0), ("global", 12)])
def test_attention_is_named_and_can_be_overridden(what, attentions):
    swin, image = timm_model("swin_tiny_patch4_window7_224"), example(3, 224, 224)
    with pytest.raises(ErfTheoryError) as caught:
        read_torch(swin, image)
    for block in ("layers.0.blocks.0", "layers.2.blocks.5"):
        assert f"  {block}.attn.matmul (matmul, " in str(caught.value)
    network = read_torch(swin, image, weights="he", overrides={"layers.*.attn": what})
    assert sum(isinstance(layer, Global) for layer in layers(network).values()) == attentions
    erf = network_erf(network, layer="layers.1", ndim=1)
    assert erf.theoretical_rf == (8,)
    named = [reason for reason in erf.reasons if reason.startswith("what sees all places")]
    assert bool(named) == bool(attentions)


def test_a_vision_transformer_is_its_patches_once_attention_is_overridden():
    image = example(3, 224, 224)
    with pytest.raises(ErfTheoryError) as caught:
        read_torch(timm_model("vit_tiny_patch16_224"), image)
    assert all(f"  blocks.{i}.attn.scaled_dot_product_att" in str(caught.value) for i in range(12))
    model = timm_model("vit_tiny_patch16_224", class_token=False, global_pool="avg")
    said = {"blocks.*.attn": "global", "add": "identity"}
    network = read_torch(model, image, weights="he", overrides=said)
    assert network_erf(network, layer="blocks").theoretical_rf == (16, 16)
