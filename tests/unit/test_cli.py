import json
import subprocess
import sys
from fractions import Fraction

import pytest
from click.testing import CliRunner

from erf_theory.cli import main
from erf_theory.cli.options import progress_bar
from erf_theory.formulas import symbolic_erf
from erf_theory.gaussian.scaling import sqrt_scaling
from erf_theory.theory import theoretical_erf
from erf_theory.verdict.reproduction import reproduce
from erf_theory.verdict.stacks import verify_stack

HUGE = "1" + "0" * 400


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_show():
    result = run("show", "-k", "3", "-n", "20")
    assert result.exit_code == 0
    assert "theoretical_erf(3, 20)" in result.stdout
    assert "41 px" in result.stdout
    assert "3.651 px" in result.stdout


def test_help_without_a_command():
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Usage:" in result.stdout


def test_json_alone_on_standard_output(tmp_path):
    picture = str(tmp_path / "erf.png")
    arguments = ["-n", "4", "--kernel", "1,2/3,0.5", "--dilation", "2", "--json", "--plot", picture]
    record = json.loads(run("show", *arguments).stdout)
    assert record["call"] == "theoretical_erf(3, 4, kernel=[1, 2/3, 0.5], dilation=2)"
    assert record["measures"]["theoretical_rf"] == [17]


@pytest.mark.parametrize(
    ("suffix", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
@pytest.mark.parametrize("ndim", ["1", "2", "3"])
def test_pictures(tmp_path, suffix, head, ndim):
    path = tmp_path / f"erf.{suffix}"
    assert run("show", "-n", "5", "--ndim", ndim, "--plot", str(path)).exit_code == 0
    assert path.read_bytes().startswith(head)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-n", "3", "--weight-variance", "2/9"], "variance_erf(3, 3, weight_variance=2/9)"),
        (
            ["-n", "3", "--weight-variance", "2", "--kernel", "1,2,1"],
            "variance_erf(3, 3, weight_variance=[2, 4, 2])",
        ),
        (["-n", "2", "--kernel", "1,0;0,1", "--ndim", "2"], "kernel=[[1, 0], [0, 1]]"),
        (["-k", "2", "-n", "3", "--stride", "2", "--engine", "dtft"], "stride=2"),
    ],
)
def test_options(arguments, text):
    result = run("show", *arguments)
    assert result.exit_code == 0, result.output
    assert text in result.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["show", "-k", "0", "-n", "3"], "k is 1 or more, not 0"),
        (["show", "-k", "3", "-n", "-1"], "n is 0 or more, not -1"),
        (["show", "-k", "2.5", "-n", "3"], "'2.5' is not a valid integer"),
        (["show", "-k", "3"], "Missing option '-n'"),
        (["show", "-n", "3", "--kernel", "1,nan,1"], "are no taps"),
        (["show", "-n", "3", "--kernel", "1,x"], "are no taps"),
        (["show", "-n", "3", "--kernel", ""], "are no taps"),
        (["show", "-n", "3", "--kernel", "1,1/0"], "are no taps"),
        (["show", "-k", "3", "-n", "3", "--kernel", "1,2"], "disagree"),
        (["show", "-n", "3", "--weight-variance", "0"], "above 0"),
        (["show", "-n", "3", "--weight-variance", "x"], "is no number"),
        (["show", "-n", "3", "--engine", "magic"], "there is no engine 'magic'"),
        (["show", "-n", "3", "--engine", "symbolic"], "symbolic_erf"),
        (["show", "-n", "100", "--stride", "2", "--json"], "GiB"),
        (["show", "-n", "3", "--plot", "erf.gif"], "png"),
        (["show", "-n", "3", "--plot", "no/such/folder/erf.png"], "No such file"),
        (["formula", "-k", "0"], "k = 0"),
        (["show", "-n", "3", "--kernel", "0,0,0"], "a kernel of zeros"),
        (["show", "-n", "3", "--kernel", "0,0,0", "--json"], "a kernel of zeros"),
        (["show", "-n", "3", "--kernel", "1,2;1"], "rows of one length"),
        (["show", "-n", "3", "--kernel", "1,2;3,4"], "--ndim 2"),
        (["show", "-k", "1000000000", "-n", "2"], "too large for a map"),
        (["show", "-n", "2", "--kernel", "-1,-2,-1", "--weight-variance", "-1"], "above 0"),
        (["show", "-n", "2", "--kernel", "-1,-2", "--weight-variance", "1"], "not negative"),
        (["show", "-n", "2", "--kernel", "0.5,1", "--weight-variance", HUGE], "largest double"),
        (["show", "-n", "3", "--kernel", "1,1e999"], "finite"),
        (["show", "-n", "3", "--weight-variance", "nan"], "is no number"),
        (["show", "-n", "3", "--weight-variance", "-1"], "above 0"),
        (["show", "-n", "3", "--ndim", "4"], "1, 2 or 3"),
        (["show", "-n", "3", "--dilation", "0"], "dilation is 1 or more"),
        (["show", "-n", "9", "--kernel", "1,-1", "--engine", "contour", "--json"], "non-negative"),
        (["show", "-n", "9", "--engine", "dtft", "--json"], "logarithms"),
        (["show", "-n", "1000000000", "--json"], "GiB"),
        (["show", "-n", "1000000000000", "--ndim", "3", "--json"], "GiB"),
        (["show", "-n", "3000", "--stride", "2", "--json"], "Error"),
        (["show", "-n", "100000", "--stride", "2"], "smaller n or stride"),
        (["show", "-n", "3", "--json", "--plot", "no/such/folder/erf.pdf"], "No such file"),
        (["formula", "-n", "-1"], "n = -1"),
        (["formula", "-k", "x"], "'x' is not a valid integer"),
        (["scaling", "-k", "3"], "Missing option '--depths'"),
        (["scaling", "--depths", "5"], "two different depths"),
        (["scaling", "--depths", "5,x"], "'5,x' are no depths: write 5,10,20"),
        (["scaling", "--depths", "5,2.5"], "are no depths"),
        (["scaling", "--depths", ""], "are no depths"),
        (["scaling", "--depths", "0,5"], "1 layer or more"),
        (["scaling", "--depths", "5,10", "-k", "1"], "two taps or more"),
        (["scaling", "--depths", "5,10", "--measure", "area"], "std, size, radius"),
        (["scaling", "--depths", "5,10", "--kind", "sum"], "amplitude, energy, rms"),
        (["scaling", "--depths", "5,10", "--kernel", "1,-1"], "signs"),
        (["scaling", "--depths", "5,10", "--ndim", "4", "--json"], "1, 2 or 3"),
        (["scaling", "--depths", "5,10", "--plot", "scaling.gif"], "png"),
        (["verify"], "Missing option '-n'"),
        (["verify", "-n", "0"], "number of convolutions is 1 or more, not 0"),
        (["verify", "-n", "3", "-k", "0"], "size of Conv is 1 or more, not 0"),
        (["verify", "-n", "3", "--samples", "31"], "measure 32 or more"),
        (["verify", "-n", "3", "--channels", "0"], "in_channels of Conv is 1 or more"),
        (["verify", "-n", "3", "--channels", "10000000"], "GiB"),
        (["verify", "-n", "3", "--activation", "no such"], "no such"),
        (["verify", "-n", "3", "--init", "no such"], "choose he, xavier, lecun, pytorch"),
        (["verify", "-n", "3", "--ndim", "4"], "1, 2 or 3"),
        (["verify", "-n", "3", "--backend", "abacus"], "no backend 'abacus'"),
        (["verify", "-n", "3", "--seed", "-1"], "seed is 0 or more, not -1"),
        (["verify", "-n", "3", "--false-alarm", "1.5", "--json"], "between 0 and 1, not 1.5"),
        (["verify", "-n", "9", "--samples", "1000000000", "--plot", "verdict.gif"], "png"),
        (["verify", "-n", "9", "--samples", "1000000000", "--plot", "no/such.png"], "No such file"),
        (["paint"], "No such command 'paint'"),
        (["show", "--colour"], "No such option"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, text):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert text in result.stderr


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["-n", "1000", "--stride", "2"], ["std", "5.051e+300 px", "log mass"]),
        (["-n", "1000000000000"], ["std", "8.165e+05 px", "log mass"]),
        (["-n", "9", "--kernel", "1,-1", "--engine", "contour"], ["std", "1.5 px"]),
    ],
)
def test_measures_are_shown_though_one_is_refused(arguments, given):
    result = run("show", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert all(text in result.stdout for text in [*given, "size", "half width", "refused: "])


def test_variances_that_no_double_holds():
    result = run("show", "-n", "2", "--weight-variance", HUGE)
    assert result.exit_code == 0
    assert "1844.27" in result.stdout


def test_a_real_process_shows_no_traceback():
    command = [sys.executable, "-c", "from erf_theory.cli import main; main()", "show", "-n", "-3"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "Error: n is 0 or more, not -3\n"


def test_a_mean_that_is_rounded_to_below_the_middle_pixel():
    result = run("show", "-n", "2100", "--kernel", "1,3,1")
    assert result.exit_code == 0
    assert "4201 px" in result.stdout


@pytest.mark.parametrize(
    "arguments", [["-n", "9", "--kernel", "1,-1"], ["-n", "0"], ["-n", "2000"]]
)
def test_json_is_what_the_package_says(arguments):
    result = run("show", *arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    record = json.loads(result.stdout, parse_constant=pytest.fail)
    taps = [1, -1] if "--kernel" in arguments else None
    erf = theoretical_erf(None if taps else 3, int(arguments[1]), kernel=taps)
    assert record == json.loads(json.dumps(erf.to_dict()))


def test_progress_does_not_reach_standard_output(tmp_path):
    result = run("show", "-n", "4", "--plot", str(tmp_path / "erf.svg"))
    assert result.stderr == f"picture saved to {tmp_path / 'erf.svg'}\n"
    assert "picture" not in result.stdout
    assert "std" in result.stdout


@pytest.mark.parametrize("arguments", [[], ["-k", "3"], ["-n", "4"], ["-k", "2", "-n", "5"]])
@pytest.mark.parametrize("latex", [False, True])
def test_formulas_are_those_of_the_package(arguments, latex):
    given = dict(zip(arguments[::2], map(int, arguments[1::2]), strict=True))
    found = symbolic_erf(given.get("-k"), given.get("-n"))
    rows = found.latex().items() if latex else found.lines()
    result = run("formula", *arguments, *["--latex"] * latex)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"{name}: {text}" for name, text in rows]


def test_help_has_examples():
    for command in ([], ["show"], ["scaling"], ["formula"], ["verify"]):
        assert run(*command, "--help").exit_code == 0
    assert "erf-theory show -k 3 -n 20 --plot erf.png" in run("show", "--help").stdout


SCALINGS = [
    (["--depths", "5,10"], (3, [5, 10]), {}),
    (["-k", "5", "--depths", "2,4,3", "--kind", "energy"], (5, [2, 3, 4]), {"kind": "energy"}),
    (
        ["--depths", "5,10", "--measure", "size", "--ndim", "2", "--kernel", "1,2/3,1.5"],
        (None, [5, 10]),
        {"measure": "size", "ndim": 2, "kernel": [1, Fraction(2, 3), 1.5]},
    ),
]


@pytest.mark.parametrize(("arguments", "given", "named"), SCALINGS)
def test_scaling_is_what_the_package_says(arguments, given, named, tmp_path):
    expected, picture = sqrt_scaling(*given, **named), tmp_path / "scaling.png"
    result = run("scaling", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{expected}\n"
    result = run("scaling", *arguments, "--json", "--plot", str(picture))
    assert result.stderr == f"picture saved to {picture}\n"
    record = json.loads(result.stdout, parse_constant=pytest.fail)
    assert record == json.loads(json.dumps(expected.to_dict()))
    assert picture.read_bytes().startswith(b"\x89PNG")


VERIFIED = [
    (["-n", "4", "--channels", "16"], (3, 4), {"channels": 16}, 0),
    (
        ["-k", "2", "-n", "2", "--channels", "8", "--samples", "400", "--ndim", "2", "--seed", "4"],
        (2, 2),
        {"channels": 8, "samples": 400, "ndim": 2, "seed": 4},
        0,
    ),
    (
        ["-n", "2", "--channels", "2", "--samples", "32", "--activation", "linear"],
        (3, 2),
        {"channels": 2, "samples": 32, "activation": "linear"},
        1,
    ),
]


@pytest.mark.parametrize(("arguments", "given", "named", "code"), VERIFIED)
def test_verify_is_what_the_package_says(arguments, given, named, code, tmp_path):
    expected, picture = verify_stack(*given, **named), tmp_path / "verdict.png"
    assert expected.passed == (code == 0)
    result = run("verify", *arguments)
    assert (result.exit_code, result.stderr) == (code, "")
    assert result.stdout.startswith(expected.lines()[0][1])
    assert ("NOT TOLD FROM THE" in result.stdout) == (code == 1)
    result = run("verify", *arguments, "--json", "--plot", str(picture))
    assert (result.exit_code, result.stderr) == (code, f"picture saved to {picture}\n")
    record = json.loads(result.stdout, parse_constant=pytest.fail)
    assert record == json.loads(json.dumps(expected.to_dict()))
    assert record["passed"] == (code == 0)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("batches", [0, 2])
def test_an_interruption_is_one_line_and_code_130(batches):
    code = (
        "import signal\n"
        "from erf_theory.cli import main\n"
        "from erf_theory.empirical import scheduling\n"
        "rows, done = scheduling._rows, []\n"
        "def interrupted(*given):\n"
        f"    if len(done) == {batches}:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "    done.append(given)\n"
        "    return rows(*given)\n"
        "scheduling._rows = interrupted\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "verify", "-n", "3", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr.split("\n") == ["", "Interrupted", ""]


def test_a_terminal_sees_progress_and_a_file_does_not(capsys, monkeypatch):
    with progress_bar("samples", 4) as progress:
        progress(4)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("samples", 4) as progress:
        progress(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "samples" in err
    assert "75%" in err


def test_formulas():
    assert "variance: 2*n/3" in run("formula", "-k", "3").stdout
    assert "mass: 3486784401" in run("formula", "-k", "3", "-n", "20").stdout
    assert r"\frac{2 n}{3}" in run("formula", "-k", "3", "--latex").stdout
    assert run("formula").exit_code == 0
    assert f"mass: 3**{10**14}" in run("formula", "-k", "3", "-n", str(10**14)).stdout


def test_reproduce_is_what_the_package_says(tmp_path):
    picture = tmp_path / "maps.png"
    answer = run(
        *("reproduce", "--depths", "1,2", "--runs", "3", "--channels", "4", "--seed", "7"),
        *("--json", "--plot", str(picture)),
    )
    assert answer.exit_code == 0
    expected = reproduce([1, 2], runs=3, channels=4, seed=7).to_dict()
    assert json.loads(answer.stdout) == json.loads(json.dumps(expected))
    assert picture.stat().st_size > 1000
    assert "sigmoid, 2" in run("reproduce", "--depths", "2", "--runs", "2").stdout
