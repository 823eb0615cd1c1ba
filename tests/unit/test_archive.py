"""Saved maps come back bit for bit, with their provenance, or not at all."""

import json
from copy import deepcopy
from fractions import Fraction
from importlib.metadata import version

import numpy as np
import pytest

from erf_theory import records
from erf_theory.archive import map_from_dict, map_to_dict
from erf_theory.engines.extent import extent_of
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.kernel import Kernel
from erf_theory.maps import ProgramMap
from erf_theory.routes import integers
from erf_theory.theory import theoretical_erf, variance_erf

CROSS = [[0, 1, 0], [1, 2, 1], [0, 1, 0]]


def run(taps, times):
    kernel = Kernel(taps)
    return ProgramMap(lambda field: field.convolve(kernel, 1, times), kernel.ndim)


MAPS = {
    "impulse": run([1, 1], 0),
    "integers": run([1, 2, 5], 7),
    "fractions": run([Fraction(1, 3), Fraction(2, 7)], 5),
    "floats": run([0.1, 0.7, 0.2], 9),
    "holes": run([1, 0, 0, 2], 3),
    "signs": run([1, -3, 1], 9),
    "no mass": run([1, -1], 6),
    "negative mass": run([-1, 0.25], 5),
    "far tails": run([1, 1, 1], 5000),
    "long mass": run([3, 5], 6000),
    "tiny mass": run([1e-200, 1e-200], 40),
    "plane": run(CROSS, 3),
    "signed plane": run([[1, -2], [0, 3]], 4),
}
ERFS = {
    "line": theoretical_erf(3, 4),
    "dilated plane": theoretical_erf(3, 4, ndim=2, dilation=2),
    "strided": theoretical_erf(None, 3, kernel=[1, 2, 5], stride=2),
    "own plane": theoretical_erf(None, 3, kernel=np.array(CROSS), ndim=2, dilation=(1, 2)),
    "variance": variance_erf(3, 4, weight_variance=2.5, ndim=2),
    "variances": variance_erf(3, 4, weight_variance=[1.5, 2, 1]),
    "no mass": theoretical_erf(None, 3, kernel=[1, -1]),
}


@pytest.mark.parametrize("map_", MAPS.values(), ids=MAPS)
def test_a_map_comes_back_bit_for_bit(map_):
    text = json.dumps(map_to_dict(map_), allow_nan=False)
    back = map_from_dict(json.loads(text))
    assert back.shares.values.tobytes() == map_.shares.values.tobytes()
    assert back.logs.values.tobytes() == map_.logs.values.tobytes()
    assert np.array_equal(back.logs.sign, map_.logs.sign)
    for part in ("log_norm", "error", "engine"):
        assert getattr(back.shares, part) == getattr(map_.shares, part)
    assert (back.logs.error, back.logs.engine) == (map_.logs.error, map_.logs.engine)
    assert (back.start, back.shape) == (map_.start, map_.shape)
    assert back.log_mass == map_.log_mass
    assert back.support_box == map_.support_box
    assert back.mass is None or (back.mass, type(back.mass)) == (map_.mass, type(map_.mass))
    assert json.dumps(map_to_dict(back), allow_nan=False) == text


def test_only_masses_of_thousands_of_digits_are_left_out():
    left_out = {name for name, map_ in MAPS.items() if map_to_dict(map_)["mass"] is None}
    assert left_out == {"long mass"}
    long = ERF((map_from_dict(map_to_dict(MAPS["long mass"])),), "amplitude", "a file")
    with pytest.raises(ErfTheoryError, match="log_mass"):
        _ = long.mass
    assert long.log_mass == pytest.approx(6000 * np.log(8), rel=1e-14)


@pytest.mark.parametrize("erf", ERFS.values(), ids=ERFS)
def test_a_file_says_what_made_it(erf, tmp_path):
    path = tmp_path / "erf.json"
    erf.save(path)
    record = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert record["package"] == f"erf_theory {version('erf-theory')}"
    assert (record["call"], record["kind"]) == (erf.call, erf.kind)
    assert record["definition"] == records.DEFINITIONS[erf.kind]
    assert records.provenance(erf.kind, erf.call).items() <= record.items()
    assert ERF.load(str(path)).to_dict()["factors"] == record["factors"]


@pytest.mark.parametrize("erf", ERFS.values(), ids=ERFS)
def test_the_call_of_a_file_makes_the_same_map(erf):
    names = {"theoretical_erf": theoretical_erf, "variance_erf": variance_erf}
    again = eval(erf.call, names)  # noqa: S307
    assert np.array_equal(again.values, erf.values)
    assert (again.mass, again.kind) == (erf.mass, erf.kind)


def test_the_call_of_a_long_kernel_is_short():
    erf = theoretical_erf(None, 2, kernel=np.arange(1000) + 1)
    assert len(erf.call) < 120
    assert erf.call.startswith("theoretical_erf(1000, 2, kernel=[1, 2, 3")


def test_values_are_the_exact_shares(tmp_path):
    """What a reader without this package finds in the file."""
    theoretical_erf(None, 4, kernel=[1, -2, 5]).save(tmp_path / "erf.json")
    (factor,) = json.loads((tmp_path / "erf.json").read_text(encoding="utf-8"))["factors"]
    source = run([1, -2, 5], 4)
    numerators, total, _ = integers(source.program, extent_of(source.program, 1))
    assert factor["values"] == pytest.approx([n / total for n in numerators], abs=1e-15)
    assert factor["sign"] == [int(n > 0) - int(n < 0) for n in numerators]
    assert factor["mass"] == str(4**4)


@pytest.mark.parametrize("key", map_to_dict(MAPS["integers"]))
def test_a_map_without_a_part_is_refused(key):
    record = map_to_dict(MAPS["integers"])
    del record[key]
    with pytest.raises(ErfTheoryError, match=f"not a saved map .*{key}"):
        map_from_dict(record)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("values", [1.0]),
        ("values", "many"),
        ("log_values", [None, "x"]),
        ("sign", [2]),
        ("sign", [1000] * 15),
        ("shape", 15),
        ("mass", "heavy"),
        ("mass", "1/0"),
        ("mass", "xE"),
        ("mass", 3),
        ("engines", ["dtft"]),
    ],
)
def test_a_map_with_a_wrong_part_is_refused(key, value):
    with pytest.raises(ErfTheoryError, match="not a saved map"):
        map_from_dict({**map_to_dict(MAPS["integers"]), key: value})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.pop("factors"),
        lambda record: record.pop("kind"),
        lambda record: record.pop("call"),
        lambda record: record.pop("reasons"),
        lambda record: record.update(factors=3),
        lambda record: record.update(factors=[]),
        lambda record: record.update(factors=[None]),
        lambda record: record.update(kind="colour"),
        lambda record: record.update(format="erf_theory.ERF/99"),
    ],
)
def test_a_spoilt_file_is_refused(spoil, tmp_path):
    record = deepcopy(ERFS["line"].to_dict())
    spoil(record)
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ErfTheoryError):
        ERF.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"null", b'{"format": 1}'])
def test_what_is_no_record_is_refused(content, tmp_path):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(ErfTheoryError, match=r"other\.json (is no JSON|holds no saved ERF)"):
        ERF.load(path)
