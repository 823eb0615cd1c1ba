"""The sections of the page, each from the report to HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from erf_theory.propagation.perchannel import has_given_weights
from erf_theory.records import DEFINITIONS
from erf_theory.report.curves import drawn_profile
from erf_theory.report.page import bullets, paragraph, section, table
from erf_theory.report.pictures import drawn_map, figure_of, picture
from erf_theory.report.smoothing import smoothed

if TYPE_CHECKING:
    from erf_theory.erf import ERF
    from erf_theory.gaussian.limit import GaussianLimit
    from erf_theory.practical.tiles import TileAxis
    from erf_theory.report.document import Report
    from erf_theory.report.stages import Stage

__all__ = ["SECTIONS", "advised", "sees"]


def sees(report: Report) -> str:
    """What a unit of the last stage sees, in a few sentences."""
    stage, field = report.main, report.geometry[report.main.name]
    erf, sides = stage.erf, [axis.size for axis in field.axes]
    share = 100 * erf.size() / max(sides)
    said = (
        f"A unit of {stage.name} can depend on {' × '.join(map(str, sides))} input pixels, its "
        "theoretical receptive field. Half of its energy comes from within "
        f"{erf.radius(0.5, 'disc', 'mean'):.3g} px of the middle: its effective receptive field "
        f"has a standard deviation of {erf.std:.3g} px and a size of {erf.size():.3g} px, "
        f"{share:.3g} % of the theoretical one."
    )
    if report.has_head:
        said += f" The output, {report.stages[-1].name}, has one unit, which reads all of these."
    return said


def _summary(report: Report) -> str:
    limit = report.main.limit
    verdict = limit.verdict if all(axis.weights for axis in limit.axes) else _verdict(limit)
    return (
        paragraph(sees(report), "lead")
        + paragraph(f"Is it a Gaussian? {_sentence(verdict)}")
        + paragraph(_sentence(f"this is what it sees {_weights(report)}"), "faint")
    )


def _weights(report: Report) -> str:
    """Whose weights the page's predictions are of."""
    if has_given_weights(report.network):
        return "with its weights as given"
    return "untrained, with weights drawn by their law"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _stages(report: Report) -> str:
    shown = report.stages[:-1] if report.has_head else report.stages
    maps = "".join(_map(report, stage) for stage in shown)
    explained = paragraph(
        "Each frame is a theoretical receptive field, the map in it the energy that a unit "
        "receives from each pixel; of more than 64 pixels, averaged over cells as wide as the "
        "distance of units. The solid ring holds half of the energy, the dotted one 90 %.",
        "faint",
    )
    head = ["stage", "TRF (px)", "std (px)", "size (px)", "size/TRF", "half within", "Gaussian?"]
    rows = [_stage_row(stage) for stage in shown]
    numbers = table("The last layer at every resolution", head, rows, words=("Gaussian?",))
    grid = f'<div class="side">{maps}</div>'
    return section("Effective receptive fields, stage by stage", explained, grid, numbers)


def _map(report: Report, stage: Stage) -> str:
    erf = stage.erf
    alt = f"Map of the effective receptive field of {stage.name}, std {erf.std:.3g} px"
    caption = f"{stage.name}: {' × '.join(map(str, erf.theoretical_rf))} px, std {erf.std:.3g} px"
    if erf.ndim != 2:
        return picture(erf.plot(), alt, caption)
    return drawn_map(erf, alt, caption, report.cell(stage.name, erf))


def _stage_row(stage: Stage) -> list[str]:
    erf, sides = stage.erf, stage.erf.theoretical_rf
    return [
        stage.name,
        " × ".join(map(str, sides)),
        f"{erf.std:.2f}",
        f"{erf.size():.2f}",
        f"{erf.size() / max(sides):.2f}",
        f"{erf.radius(0.5, 'disc', 'mean'):.1f} px",
        _verdict(stage.limit),
    ]


def _verdict(limit: GaussianLimit) -> str:
    """The answer, and how far the axis that is farthest from a Gaussian is from it."""
    distances = [axis.distance for axis in limit.axes if axis.distance is not None]
    kurtoses = [axis.excess_kurtosis for axis in limit.axes if axis.excess_kurtosis is not None]
    told = []
    if distances:
        told.append(f"distribution function off by {100 * max(distances):.2g} % at most")
    if kurtoses:
        told.append(f"excess kurtosis {max(kurtoses, key=abs):.2g}")
    return f"{limit.answer}: {', '.join(told)}" if told else limit.answer


def _profile(report: Report) -> str:
    stage = report.main
    if not stage.erf.std > 0:
        return ""
    alt = f"Profile of {stage.name} beside its Gaussian"
    drawings = drawn_profile(stage.erf.profile(0), report.cell(stage.name, stage.erf)[0], alt)
    caption = (
        f"The energy of {stage.name} along the first axis: of single pixels (pale), their mean "
        "over the distance of units (bold), and the Gaussian of the same mean and variance "
        "(dashed). On the right, or below, the same on a logarithmic axis, where the tails are "
        "seen. Upright lines are the ends of the theoretical receptive field."
    )
    both = f'<div class="pair">{"".join(drawings)}</div>'
    return section("Profile and tails", figure_of(both, caption))


def _over_image(report: Report) -> str:
    """The field over the picture; where there is a trained one, it stands beside it."""
    if report.image is None or report.main.erf.ndim != 2:
        return ""
    main = report.main
    shown = [_overlay(report, main.name, main.erf, _weights(report))]
    if report.training is not None and not has_given_weights(report.network):
        row = report.training.rows[-1]
        whose = "trained, with its weights as given, as predicted without data"
        shown.append(_overlay(report, row.layer, row.trained.theory, whose))
    explained = paragraph(
        "What the unit in the middle sees: contours hold 50, 90 and 99 % of its energy, the cross "
        "is its centre, and the dashed frame its theoretical receptive field, where it is within "
        "the image.",
        "faint",
    )
    return section("On an image", explained, f'<div class="pair">{"".join(shown)}</div>')


def _overlay(report: Report, layer: str, erf: ERF, whose: str) -> str:
    """The field of the unit in the middle of a layer over the picture."""
    from erf_theory import plotting

    assert report.image is not None  # noqa: S101
    name = report.network.nodes[report.network.place_of(layer)].name
    offsets, values = smoothed(erf.offsets, erf.values, report.cell(name, erf))
    figure = plotting.overlay_figure(
        report.image, _middle(report, name), offsets, values, erf.frame
    )
    alt = f"The image, with contours around 50, 90 and 99 % of the energy of {layer}, {whose}"
    return picture(figure, alt, f"{layer}, {whose}: std {erf.std:.3g} px.")


def _middle(report: Report, name: str) -> tuple[float, ...]:
    """Where the unit in the middle of a node has its centre; the image begins at 0."""
    place = report.network.place_of(name)
    found = []
    for sights, size in zip(report.geometry.sights, report.sizes[name], strict=True):
        low, high = sights[place].of(size // 2)
        found.append(float(low + high + 1) / 2)
    return tuple(found)


def _training(report: Report) -> str:
    if report.training is None:
        return ""
    _, head, *rows = report.training.lines()
    return section(
        "Architecture versus training",
        paragraph(
            "Untrained: weights drawn anew, on noise. Trained: the weights as they are, on the "
            "images; its prediction takes the squares of the weights, linear layers in a row "
            "multiplied out, and no data. Both are of the unit in the middle of an image, whose "
            "borders cut what would be seen beyond. TV is the total variation between the "
            "predicted and the measured profile, from 0 (the same) to 1; “if true” is what the "
            "noise of the measurement alone would make of it."
        ),
        table("Standard deviations in input pixels, ± standard error", head, rows),
        picture(
            report.training.plot(),
            "Predicted and measured standard deviations by layer, untrained and trained",
            "Lines are predictions, points measurements with their standard errors.",
        ),
    )


def advised(report: Report) -> list[str]:
    """The practical answers, in sentences."""
    row, advice, name = report.needed, report.advice, report.main.name
    said = [
        f"The theoretical receptive field of {name} fits into an input of {row.trf_input} px.",
        f"{100 * advice.mass:g} % of its energy fits into one of {row.erf_input} px.",
    ]
    if advice.image_size is not None:
        for names, what in ((advice.beyond_trf, "theoretical"), (advice.beyond_erf, "effective")):
            where = f"from {names[0]} on" if names else "nowhere"
            said.append(
                f"An image of {advice.image_size} px is smaller than the {what} receptive field "
                f"{where}."
            )
    if report.tiles is not None:
        sides = " × ".join(map(str, report.tiles.overlap))
        said.append(
            f"Tiles of a larger image, up to {name}, share {sides} px so that no output loses "
            f"more than {100 * report.tiles.cut:.2g} % of its energy."
        )
    return said


def _answers(report: Report) -> str:
    head = ["axis", "tiles begin at multiples of", "before", "after", "overlap", "without any cut"]
    tiles = (
        ""
        if report.tiles is None
        else table(
            "Overlap of tiles in input pixels: before and after the part that is kept",
            head,
            [_tile_row(axis) for axis in report.tiles.axes],
        )
    )
    return section("Practical answers", bullets(advised(report)), tiles)


def _tile_row(axis: TileAxis) -> list[str]:
    numbers = (axis.axis, axis.period, axis.before, axis.after, axis.overlap, axis.support)
    return [str(number) for number in numbers]


def _layers(report: Report) -> str:
    head = ["node", "channels", "jump", "TRF", "std", "size", "share", "log mass", "theory"]
    rows = [
        [
            row.name,
            str(row.channels),
            f"{row.jump:g}",
            f"{row.trf:g}",
            f"{row.std:.4g}",
            f"{row.size:.4g}",
            f"{row.share:.3g}",
            f"{round(row.log_mass, 12):.3g}",
            "exact" if row.is_exact else "approximate",
        ]
        for row in report.layers
    ]
    whole = len(rows) == len(report.network.nodes)
    title = "Every layer" if whole else "Layer by layer: the ends of blocks"
    return section(title, table("Lengths are input pixels on the first axis", head, rows))


def _approximations(report: Report) -> str:
    reasons = dict.fromkeys((*report.main.erf.reasons, *report.layers.reasons))
    remarks = section("Said by the reader", bullets(report.network.remarks))
    if not reasons:
        return remarks + section(
            "What is approximate", paragraph("Nothing, in the limit of many channels.")
        )
    return remarks + section("What is approximate, and why", bullets(list(reasons)))


_WORDS = """
Theoretical receptive field (TRF): the smallest box of input pixels that holds all that a unit \
depends on; Araujo et al. 2019.
Effective receptive field (ERF): the map of the energy, its sum 1.
Size: the root of the number of pixels with more than 4.55 % of the largest energy; Luo et al. \
2016. Share: size over the side of the TRF.
Jump: distance of neighbouring units in input pixels.
Log mass: natural logarithm of the energy's sum; where it grows or falls from layer to layer, \
gradients explode or vanish.
Exact: in the limit of many channels, for weights drawn independently.
"""


def _definitions(report: Report) -> str:
    energy = f"Energy: {DEFINITIONS[report.main.erf.kind]}."
    return section("Definitions", bullets([energy, *_WORDS.strip().splitlines()]))


SECTIONS: tuple[Callable[[Report], str], ...] = (
    _summary,
    _stages,
    _profile,
    _over_image,
    _training,
    _answers,
    _layers,
    _approximations,
    _definitions,
)
"""In the order of the page."""
