import pytest

from erf_theory import zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.network import ConvTranspose, MaxPool, Upsample, from_dict, receptive_field, to_dict

JUMPS = {"tcn": 1, "wavenet": 1, "hrnet_w18": 4, "unet": 1, "unet_linear": 1, "unet_nearest": 1}
UNPADDED = {"alexnet": 7, "alexnet_slim": 6, "inception_v3": 6}


@pytest.mark.parametrize("name", zoo.ZOO)
def test_every_network_has_a_geometry_and_comes_back_from_json(name):
    network, jump = zoo.ZOO[name](), JUMPS.get(name, 32)
    output = receptive_field(network, image_size=256).output
    assert output.jump == (jump,) * network.ndim
    assert output.output_size == (UNPADDED.get(name, 256 // jump),) * network.ndim
    assert from_dict(to_dict(network)) == network


def test_the_names_are_those_of_the_functions_and_their_variants():
    functions = {name for name in zoo.__all__ if name != "ZOO"}
    assert functions == set(zoo.ZOO) & functions
    assert {name for name in zoo.ZOO if name not in functions} == {
        "alexnet_slim",
        "mobilenet_v1_slim",
        "unet_linear",
        "unet_nearest",
        *(f"resnet{d}_{end}" for d in (50, 101, 152) for end in ("original", "slim")),
    }


@pytest.mark.parametrize(
    "make", [zoo.alexnet, zoo.mobilenet_v1, zoo.resnet50, zoo.resnet152, zoo.unet]
)
def test_an_unknown_variant_is_refused(make):
    with pytest.raises(ErfTheoryError, match=r"is one of .*, not 'other'"):
        make("other")


def strides(network, name):
    """The names of the nodes that halve the image within a stage."""
    return [n.name for n in network.nodes if n.name.startswith(name) and stride(n.layer) == 2]


def stride(layer):
    return getattr(layer, "stride", 1)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("torchvision", ["0.residual.body.2.conv", "0.residual.shortcut.conv"]),
        ("original", ["0.residual.body.1.conv", "0.residual.shortcut.conv"]),
        ("slim", ["3.residual.body.2.conv", "3.residual.shortcut"]),
    ],
)
def test_where_a_resnet_has_its_strides(variant, expected):
    network = zoo.resnet50(variant)
    assert strides(network, "stage2.") == [f"stage2.{name}" for name in expected]
    assert bool(strides(network, "stage4.")) == (variant != "slim")
    assert bool(strides(network, "stage1.")) == (variant == "slim")


def test_the_shortcuts_of_slims_strides_are_every_other_place():
    nodes = {node.name: node.layer for node in zoo.resnet50("slim").nodes}
    assert nodes["stage1.2.residual.shortcut"] == MaxPool(1, stride=2)


@pytest.mark.parametrize(
    ("upsampling", "kind"),
    [
        ("transposed", ConvTranspose(1024, 512, 2, stride=2)),
        ("nearest", Upsample(2)),
        ("linear", Upsample(2, "linear")),
    ],
)
def test_how_a_unet_goes_up(upsampling, kind):
    assert kind in [node.layer for node in zoo.unet(upsampling).nodes]


def test_hrnet_reads_all_its_branches():
    geometry = receptive_field(zoo.hrnet_w18())
    for branch in range(4):
        assert geometry[f"stage4.2.branch{branch}.0.residual.add"].channels == 18 << branch
    assert {len(node.inputs) for node in zoo.hrnet_w18().nodes} == {1, 2, 3, 4}
