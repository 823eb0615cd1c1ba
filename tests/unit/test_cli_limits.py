import json

import pytest
from click.testing import CliRunner

from erf_theory import zoo
from erf_theory.cli import main
from erf_theory.network import save

LADDER = "1,2,4,8,16,32,64,128"


def run(*arguments):
    return CliRunner().invoke(main, ["limit", *arguments])


def record(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "answer", "words"),
    [
        (["-k", "3", "-n", "20"], "yes", "20 equal steps"),
        (["-n", "20"], "yes", "20 equal steps"),
        (["-n", "20", "--kernel", "1,2,1", "--ndim", "2"], "yes", "20 equal steps"),
        (["-k", "3", "-n", "20", "--dilation", "2"], "yes", "span 2"),
        (["-k", "2", "-n", "8", "--stride", "2"], "no", "uniform"),
        (["-k", "2", "--dilation", LADDER], "no", "uniform"),
        (["-k", "2", "-n", "3", "--dilation", LADDER], "yes", "Irwin-Hall 3"),
        (["-k", "3", "--dilation", LADDER], "no", "Stern"),
        (["--kernel", "1,2,1", "--dilation", LADDER], "no", "Irwin-Hall 2"),
        (["-n", "300", "--kernel", "3,6,-1"], "no", "Airy"),
        (["-n", "300", "--kernel", "-1,4,10,4,-1"], "no", "exp(-xi^4)"),
        (["-n", "300", "--kernel", "-1,2,-1"], "no", "oscillating"),
        (["resnet50"], "yes", "10 steps"),
        (["vgg16", "--ndim", "2", "--axis", "1"], "yes", "18 steps"),
        (["vgg16", "--kind", "rms"], "no", "known by its samples"),
    ],
)
def test_verdicts(arguments, answer, words):
    found = record(*arguments)
    assert found["answer"] == answer
    assert words in found["verdict"]


def test_a_table_and_a_picture(tmp_path):
    path = str(tmp_path / "limit.png")
    result = run("wavenet", "--plot", path)
    assert result.exit_code == 0
    assert result.stdout.startswith("Gaussian limit of network_erf(wavenet, ndim=1)")
    assert "verdict" in result.stdout
    assert "Lyapunov number" in result.stdout
    assert (tmp_path / "limit.png").read_bytes().startswith(b"\x89PNG")
    assert path in result.stderr.replace("\n", "")


def test_a_file(tmp_path):
    save(zoo.vgg16(), tmp_path / "net.json")
    assert record(str(tmp_path / "net.json"))["verdict"] == record("vgg16")["verdict"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "give NETWORK, or -n"),
        (["-k", "3"], "give NETWORK, or -n"),
        (["resnet50", "-n", "3", "-k", "3"], "-k, -n describe a stack"),
        (["-n", "3", "--unit", "1"], "--unit speak of a network"),
        (["-n", "3", "--dilation", "1,b"], "are no dilations"),
        (["-k", "3", "--dilation", "1,2", "--stride", "2"], "--ndim 1 and --stride 1"),
        (["-k", "3", "--dilation", "1,2", "--kernel", "1,2"], "do not fit"),
        (["--dilation", "1,2", "--kernel", "1,2;3,4"], "do not fit"),
        (["-n", "0", "--dilation", "1,2"], "do not fit"),
        (["-k", "1", "-n", "4"], "standard deviation is 0"),
        (["nope"], "no network of the zoo"),
    ],
)
def test_bad_input_is_answered_with_2(arguments, text):
    result = run(*arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert result.stdout == ""
