"""Who sees the progress of a measurement."""

import sys

from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.progress import watched
from erf_theory.network import Chain, Conv

NET = Chain([Conv(2, 2, 3)], 1)


def test_a_terminal_sees_a_bar_with_the_error(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    with watched(watcher=True, total=200) as report:
        report(50, 0.0321)
    out, err = capsys.readouterr()
    assert out == ""
    assert "25%" in err
    assert "relative error 3.2 %" in err
    found = measure_erf(NET, samples=128, rng=0)
    assert f"relative error {100 * found.relative_error:.2g} %" in capsys.readouterr().err
    measure_erf(NET, samples=128, rng=0, progress=False)
    assert capsys.readouterr().err == ""


def test_a_file_sees_nothing(capsys):
    measure_erf(NET, samples=128, rng=0)
    assert capsys.readouterr() == ("", "")
