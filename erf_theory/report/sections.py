"""The sections of the page, each from the report to HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from erf_theory.records import DEFINITIONS
from erf_theory.report.page import bullets, paragraph, picture, section, table

if TYPE_CHECKING:
    from erf_theory.report.report import Report

__all__ = ["SECTIONS"]


def _summary(report: Report) -> str:
    erf, field = report.output.erf, report.geometry.output
    possible = " × ".join(f"{axis.size}" for axis in field.axes)
    radius = erf.radius(0.5, centre="mean")
    return paragraph(
        f"A unit of {report.output.name} can depend on {possible} input pixels. Half of its "
        f"energy comes from within {radius:.4g} px of the middle; the standard deviation of its "
        f"effective receptive field is {erf.std:.4g} px, its size {erf.size():.4g} px "
        f"({100 * erf.size() / max(axis.size for axis in field.axes):.3g} % of the theoretical "
        "one).",
        "lead",
    ) + paragraph(f"Is it a Gaussian? {_sentence(report.output.limit.verdict)}")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _pictures(report: Report) -> str:
    maps = "".join(
        picture(
            stage.erf.plot(),
            f"Map of the effective receptive field of {stage.name}: std {stage.erf.std:.4g} px",
            f"{stage.name}: std {stage.erf.std:.4g} px, size {stage.erf.size():.4g} px; "
            f"Gaussian: {stage.limit.verdict}",
        )
        for stage in report.stages
    )
    erf = report.output.erf
    profile = picture(
        erf.profile(0).plot(),
        f"Profile of {report.output.name} beside its Gaussian, on a linear and a logarithmic axis",
        "The profile of the last layer's field beside the Gaussian of the same mean and variance.",
    )
    return section("Effective receptive fields", f'<div class="side">{maps}</div>', profile)


def _over_image(report: Report) -> str:
    from erf_theory import plotting

    if report.image is None:
        return ""
    erf = report.output.erf
    return section(
        "On an image",
        picture(
            plotting.overlay_figure(report.image, erf.offsets, erf.values, erf.frame),
            f"The image, with rings around 50, 90 and 99 % of the energy of {report.output.name}",
            "What the unit in the middle sees: contours hold 50, 90 and 99 % of its energy; the "
            "frame is its theoretical receptive field.",
        ),
    )


def _training(report: Report) -> str:
    if report.training is None:
        return ""
    _, head, *rows = report.training.lines()
    return section(
        "Architecture versus training",
        paragraph(
            "Untrained: weights drawn anew, on noise. Trained: the weights as they are, on the "
            "images. TV is the total variation between the predicted and the measured profile; "
            "“if true” is what the measurement's noise alone would make of it."
        ),
        table("Standard deviations in input pixels, ± standard error", head, rows),
        picture(
            report.training.plot(),
            "Predicted and measured standard deviations by layer, untrained and trained",
            "Lines are predictions, points measurements with their standard errors.",
        ),
    )


def _answers(report: Report) -> str:
    return section(
        "Practical answers",
        paragraph(str(report.advice).splitlines()[-1]),
        _text_table("Overlap of tiles that cuts at most 0.1 % of an output's energy", report.tiles),
    )


def _text_table(caption: str, answer: object) -> str:
    """The table of an answer that prints itself, columns two spaces apart; then its notes."""
    import re

    lines = str(answer).splitlines()
    split = [re.split(r" {2,}", line.strip()) for line in lines]
    head = split[0]
    rows = [row for row in split[1:] if len(row) == len(head)]
    notes = [line for line, row in zip(lines, split, strict=True) if len(row) == 1]
    return table(caption, head, rows) + "".join(map(paragraph, notes))


def _layers(report: Report) -> str:
    head = ("node", "layer", "channels", "jump", "TRF", "std", "size", "share", "log mass", "theory")
    rows = [
        (
            row.name,
            row.layer,
            str(row.channels),
            *(f"{x:.4g}" for x in (row.jump, row.trf, row.std, row.size)),
            f"{row.share:.3g}",
            f"{row.log_mass:.3g}",
            "exact" if row.is_exact else "approximate",
        )
        for row in report.layers
    ]
    return section("Every layer", table("Lengths are input pixels", head, rows))


def _approximations(report: Report) -> str:
    reasons: Sequence[str] = report.output.erf.reasons
    if not reasons:
        return section("What is approximate", paragraph("Nothing, in the limit of many channels."))
    return section("What is approximate, and why", bullets(reasons))


def _definitions(report: Report) -> str:
    return section(
        "Definitions",
        bullets(
            [
                f"Energy: {DEFINITIONS[report.output.erf.kind]}.",
                "Theoretical receptive field: the smallest box of the input pixels that a unit "
                "depends on at all; Araujo et al. 2019.",
                "Size: the root of the number of pixels with more than 4.55 % of the largest "
                "energy; Luo et al. 2016.",
                "Share: size over the side of the theoretical receptive field.",
            ]
        ),
    )


SECTIONS: tuple[Callable[[Report], str], ...] = (
    _summary,
    _pictures,
    _over_image,
    _training,
    _answers,
    _layers,
    _approximations,
    _definitions,
)
"""In the order of the page."""
