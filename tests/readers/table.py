"""Models that no one here wrote: untrained fields predicted and measured, one row per layer.

``python -m tests.readers.table RECORDS`` measures what RECORDS lacks, a row at a time, writes each
down when it is done, and prints the table. It needs torchvision, timm and facenet-pytorch.
"""

import json
import sys
import time
from dataclasses import astuple, dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from erf_theory import crosscheck, measure_erf, network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network.geometry import image_sizes
from erf_theory.readers.torch import read_torch
from erf_theory.verdict.shapes import start_of
from tests.readers.models import facenet, timm_model, torchvision, vision_model

MTCNN = ("PNet", "RNet", "ONet")


@dataclass(frozen=True)
class Row:
    """A model up to a layer, in two experiments.

    The module itself on noise of ``image`` pixels per axis, ``samples`` times, its batch norms
    calibrated on such images; and what was read of it, far from all borders, ``free`` times.
    """

    model: str
    layer: str
    image: int
    samples: int
    free: int = 0

    @property
    def name(self):
        """What a record of it is called."""
        return " ".join(map(str, astuple(self)))


ROWS = (
    Row("PNet", "conv4_2", 24, 2048),
    Row("RNet", "pool1", 24, 2048),
    Row("RNet", "prelu3", 24, 1024),
    Row("ONet", "prelu4", 48, 512),
    Row("alexnet", "features.1", 64, 64),
    Row("alexnet", "features.5", 96, 64),
    Row("vgg16", "features.16", 64, 64),
    Row("resnet18", "relu", 64, 64, 256),
    Row("resnet18", "layer1", 96, 64, 128),
    Row("resnet34", "layer1", 96, 64, 64),
    Row("resnet50", "layer1", 96, 64, 128),
    Row("resnet50", "layer2", 128, 64, 48),
    Row("resnet101", "layer1", 96, 0, 32),
    Row("resnet152", "layer1", 96, 0, 32),
    Row("densenet121", "features.denseblock1", 64, 0, 32),
    Row("densenet121", "features.transition1", 64, 0, 32),
    Row("inception_v3", "Conv2d_2b_3x3", 96, 0, 64),
    Row("inception_v3", "Mixed_5b", 96, 0, 32),
    Row("googlenet", "conv1", 64, 0, 128),
    Row("googlenet", "inception3a", 64, 0, 32),
    Row("mobilenet_v2", "features.4", 128, 64, 256),
    Row("mobilenet_v2", "features.7", 128, 32, 48),
    Row("mobilenet_v3_large", "features.2", 64, 0, 64),
    Row("mobilenet_v3_large", "features.4", 64, 0, 32),
    Row("efficientnet_b0", "features.3.0", 64, 0, 32),
    Row("convnext_tiny", "features.2", 64, 0, 32),
    Row("regnet_x_400mf", "trunk_output.block2", 128, 128, 256),
    Row("regnet_y_400mf", "trunk_output.block2.block2-1", 64, 32, 32),
    Row("shufflenet_v2_x1_0", "stage2.1", 64, 0, 32),
    Row("squeezenet1_1", "features.6", 64, 0, 64),
    Row("mnasnet1_0", "layers.9.0", 128, 32, 64),
    Row("fcn_resnet50", "backbone.layer1", 64, 0, 32),
    Row("deeplabv3_resnet50", "backbone.layer1", 64, 0, 32),
    Row("lraspp_mobilenet_v3_large", "backbone.3", 64, 0, 32),
    Row("hrnet_w18_small", "layer1", 128, 128, 512),
    Row("convnext_atto", "stages.1.downsample", 64, 0, 64),
    Row("resnetv2_50", "stages.0", 64, 0, 32),
    Row("regnetx_002", "s3.b1", 128, 256, 256),
    Row("vit_tiny_patch16_224", "", 224, 0),
    Row("swin_tiny_patch4_window7_224", "", 224, 0),
    Row("ghostnet_050", "blocks.2", 64, 0, 32),
    Row("poolformer_s12", "stages.0", 64, 0, 32),
)


@cache
def made(name):
    """A model by its name, in eval mode: the last one that was asked for is kept."""
    if name in MTCNN:
        return facenet(name).eval()
    models = torchvision()[1].models
    known = {*models.list_models(), *models.list_models(models.segmentation)}
    return (vision_model if name in known else timm_model)(name).eval()


def inside(measurement, theory):
    """The part of a measurement in the theory's box, and the share of the energy outside."""
    begin = start_of(theory)
    spans = zip(begin, measurement.start, theory.shape, strict=True)
    box = tuple(slice(a - b, a - b + n) for a, b, n in spans)
    blocks = np.ascontiguousarray(measurement.blocks[(slice(None), *box)])
    part = replace(measurement, blocks=blocks, start=begin, magnitudes=None, amplitudes=None)
    return part, 1 - part.mass / measurement.mass


def compared(row):
    """Theory beside the experiments: the record of a row."""
    import torch

    torch.set_num_threads(1)
    model, shape = made(row.model), (3, row.image, row.image)
    layer = row.layer or None
    network = read_torch(model, torch.zeros(1, *shape), layer=layer, weights="law")
    unit = tuple(size // 2 for size in image_sizes(network, shape[1:])[-1])
    begin = time.process_time()
    alone = partial(measure_erf, model, layer=layer, input_shape=shape, unit=unit, weights="law")
    theory = network_erf(network, unit=unit)
    found = {
        "trf": max(theory.theoretical_rf),
        "std": theory.std,
        "reasons": theory.reasons,
    }
    if row.samples:
        found["module"] = judged(theory, alone(samples=row.samples, rng=0, progress=False))
    if row.free:
        free = measure_erf(network, samples=row.free, rng=0, backend="torch", progress=False)
        found["free"] = judged(network_erf(network), free)
    return {**found, "seconds": time.process_time() - begin}


def judged(theory, measurement):
    """What one experiment says."""
    part, outside = inside(measurement, theory)
    found = crosscheck(theory, part)
    return {
        "mass": found.mass_ratio,
        "std": found.std_ratio,
        "p": found.p_value,
        "outside": outside,
    }


def cells(row, record):
    """The cells of a row."""
    first = [f"`{row.model}`", f"`{row.layer}`" if row.layer else ""]
    if "refused" in record:
        return [*first, *[""] * 2, "refused", *[""] * 8]
    told = [str(record["trf"]), f"{record['std']:.2f}", "approx." if record["reasons"] else "exact"]
    ways = ((str(row.image), row.samples, "module"), ("", row.free, "free"))
    return [*first, *told, *(text for way in ways for text in _experiment(*way, record))]


def _experiment(image, samples, key, record):
    """Cells of one experiment."""
    if key not in record:
        return [""] * 4
    found = record[key]
    ratios = ["{:.3f} ({:.3f} to {:.3f})".format(*found[what]) for what in ("mass", "std")]
    p = f"{found['p']:.2g}" if found["p"] >= 0.01 else f"**{found['p']:.1g}**"
    return [f"{samples} at {image} px" if image else str(samples), *ratios, p]


_RATIOS = ("samples", "mass", "std", "p")
HEAD = ("model", "to layer", "TRF", "std", "theory", *_RATIOS, *_RATIOS)


def main(path):
    """Measure what is not recorded, and print all rows."""
    records = json.loads(path.read_text()) if path.exists() else {}
    for row in ROWS:
        if row.name not in records:
            try:
                records[row.name] = compared(row)
            except ErfTheoryError as error:
                records[row.name] = {"refused": str(error)}
            path.write_text(json.dumps(records, indent=1))
            sys.stderr.write(f"{row.name}: {records[row.name]}\n")
    lines = [HEAD, ["---"] * len(HEAD), *(cells(row, records[row.name]) for row in ROWS)]
    sys.stdout.write("".join(f"| {' | '.join(line)} |\n" for line in lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
