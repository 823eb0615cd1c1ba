"""Well-known networks, as descriptions: ``zoo.resnet50()``, or by name, ``zoo.ZOO["resnet50"]()``.

Each is a feature extractor: it ends before the global pool and what comes behind it.
"""

from collections.abc import Callable
from functools import partial

from erf_theory.network import Network
from erf_theory.zoo.dense import densenet121
from erf_theory.zoo.inception import inception_v3
from erf_theory.zoo.mobile import mobilenet_v1, mobilenet_v2, shufflenet_v2
from erf_theory.zoo.modern import convnext_t
from erf_theory.zoo.pixelwise import hrnet_w18, unet
from erf_theory.zoo.plain import alexnet, vgg11, vgg16, vgg19
from erf_theory.zoo.residual import resnet18, resnet34, resnet50, resnet101, resnet152
from erf_theory.zoo.sequences import tcn, wavenet

__all__ = [
    "ZOO",
    "alexnet",
    "convnext_t",
    "densenet121",
    "hrnet_w18",
    "inception_v3",
    "mobilenet_v1",
    "mobilenet_v2",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "shufflenet_v2",
    "tcn",
    "unet",
    "vgg11",
    "vgg16",
    "vgg19",
    "wavenet",
]

ZOO: dict[str, Callable[[], Network]] = {
    "alexnet": alexnet,
    "alexnet_slim": partial(alexnet, "slim"),
    "convnext_t": convnext_t,
    "densenet121": densenet121,
    "hrnet_w18": hrnet_w18,
    "inception_v3": inception_v3,
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v1_slim": partial(mobilenet_v1, "slim"),
    "mobilenet_v2": mobilenet_v2,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "resnet50_original": partial(resnet50, "original"),
    "resnet50_slim": partial(resnet50, "slim"),
    "resnet101": resnet101,
    "resnet101_original": partial(resnet101, "original"),
    "resnet101_slim": partial(resnet101, "slim"),
    "resnet152": resnet152,
    "resnet152_original": partial(resnet152, "original"),
    "resnet152_slim": partial(resnet152, "slim"),
    "shufflenet_v2": shufflenet_v2,
    "tcn": tcn,
    "unet": unet,
    "unet_linear": partial(unet, "linear"),
    "unet_nearest": partial(unet, "nearest"),
    "vgg11": vgg11,
    "vgg16": vgg16,
    "vgg19": vgg19,
    "wavenet": wavenet,
}
"""Functions that build the networks, by name; the variants have names of their own."""
