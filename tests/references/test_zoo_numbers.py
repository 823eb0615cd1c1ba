"""The zoo beside the literature: receptive fields, and numbers of parameters that are published."""

from math import prod

import pytest

from erf_theory import zoo
from erf_theory.network import ConvTranspose, Norm, receptive_field
from erf_theory.network.convolutions import Weighted
from erf_theory.zoo.pixelwise import hrnet

DISTILL = {
    "alexnet_slim": (195, 32, 64),
    "vgg16": (212, 32, 90),
    "mobilenet_v1_slim": (315, 32, 126),
    "resnet50_slim": (483, 32, 239),
    "resnet101_slim": (1027, 32, 511),
    "resnet152_slim": (1507, 32, 751),
    "inception_v3": (1311, 32, 618),
}
"""Size, stride and padding at 224 pixels: Araujo, Norris and Sim, Distill 2019."""
TORCHVISION = {
    "alexnet": 195,
    "vgg16": 212,
    "resnet18": 435,
    "resnet34": 899,
    "resnet50": 427,
    "resnet101": 971,
    "resnet152": 1451,
}
PARAMETERS = {
    "alexnet": (2_469_696, True, 0),
    "vgg11": (9_220_480, True, 0),
    "vgg16": (14_714_688, True, 0),
    "vgg19": (20_024_384, True, 0),
    "resnet18": (11_689_512 - 513_000, False, 2),
    "resnet34": (21_797_672 - 513_000, False, 2),
    "resnet50": (25_557_032 - 2_049_000, False, 2),
    "resnet101": (44_549_160 - 2_049_000, False, 2),
    "resnet152": (60_192_808 - 2_049_000, False, 2),
    "densenet121": (7_978_856 - 1_025_000, False, 2),
    "mobilenet_v2": (3_504_872 - 1_281_000, False, 2),
    "inception_v3": (23_834_568 - 2_049_000, False, 2),
    "shufflenet_v2": (2_278_604 - 1_025_000, False, 2),
    "convnext_t": (28_589_128 - 769_000 - 2 * 768 - 6_624, True, 2),
    "unet": (31_030_593 - 65, True, 0),
}
"""Torchvision's numbers without the fully connected layer (ConvNeXt: nor its norm, nor the
branches' factors), the U-Net's in one channel without its last convolution; whether there are
biases; and parameters of a norm per channel."""


def count(network, *, biases=False, per_norm=2):
    """Weights, a bias per output of a convolution, and the parameters of the norms."""
    total = 0
    for node, channels in zip(network.nodes, network.channels, strict=True):
        if isinstance(node.layer, Weighted):
            total += prod(node.layer.weight_shape(network.ndim)) + biases * channels
        elif isinstance(node.layer, Norm):
            total += per_norm * channels
    return total


@pytest.mark.parametrize(("name", "expected"), DISTILL.items())
def test_distills_table(name, expected):
    (axis, _) = receptive_field(zoo.ZOO[name](), image_size=224).output.axes
    assert (axis.size, axis.jump, axis.padding) == expected
    assert axis.aligned


def test_tensorflows_padding_depends_on_the_resolution():
    paddings = [
        receptive_field(zoo.mobilenet_v1("slim"), image_size=size).output.padding[0]
        for size in (224, 225)
    ]
    assert paddings == [126, 157]


@pytest.mark.parametrize(("name", "size"), TORCHVISION.items())
def test_torchvisions_networks(name, size):
    geometry = receptive_field(zoo.ZOO[name](), image_size=224)
    assert geometry.output.size == (size, size)
    assert geometry.output.output_size == ((6, 6) if name == "alexnet" else (7, 7))
    assert geometry.misaligned == ()


@pytest.mark.parametrize(("name", "row"), PARAMETERS.items())
def test_numbers_of_parameters(name, row):
    expected, biases, per_norm = row
    assert count(zoo.ZOO[name](), biases=biases, per_norm=per_norm) == expected


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_where_the_strides_are_changes_no_weight(depth):
    one, *others = (zoo.ZOO[f"resnet{depth}{end}"]() for end in ("", "_original", "_slim"))
    assert {count(other) for other in others} == {count(one)}


def test_keras_counts_all_four_numbers_of_a_batch_norm():
    assert count(zoo.mobilenet_v1(), per_norm=4) == 3_228_864


def test_hrnet_w32_has_the_parameters_that_its_authors_code_prints():
    assert count(hrnet(32)) == 28_535_552


def test_the_dilated_stacks():
    wavenet = receptive_field(zoo.wavenet())
    assert wavenet["gate9.conv"].size == (1025,)  # 1024 without the first convolution
    assert wavenet.output.size == (1 + 1 + 3 * 1023,)
    assert receptive_field(zoo.tcn()).output.size == (1 + 2 * 6 * (2**8 - 1),)


@pytest.mark.parametrize("name", ["unet", "unet_linear", "unet_nearest"])
def test_a_unet_has_as_many_outputs_as_inputs_and_is_aligned(name):
    geometry = receptive_field(zoo.ZOO[name](), image_size=64)
    assert geometry.output.output_size == (64, 64)
    assert geometry.output.jump == (1, 1)
    assert geometry.misaligned == ()
    assert sum(isinstance(row.layer, ConvTranspose) for row in geometry) == 4 * (name == "unet")
