"""The page in a browser: it fits phones, is not empty, and follows the colours of the system."""

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from erf_theory import zoo
from erf_theory.report.document import model_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    place = tmp_path_factory.mktemp("page") / "report.html"
    model_report(zoo.alexnet(), name="AlexNet", image_size=(224, 224)).save(place)
    return place


def run(path, *flags):
    profile = f"--user-data-dir={path.parent / 'profile'}"
    asked = [CHROMIUM, *FLAGS, profile, *flags, path.as_uri()]
    return subprocess.run(asked, check=True, capture_output=True, timeout=100).stdout


def shot(path, *flags, width=900, height=1400):
    target = path.parent / "shot.png"
    run(path, f"--window-size={width},{height}", f"--screenshot={target}", *flags)
    return np.asarray(Image.open(target).convert("L"), dtype=float)


def test_light_and_dark(path):
    light, dark = shot(path), shot(path, "--blink-settings=preferredColorScheme=0")
    assert light[0, 0] == 255
    assert dark[0, 0] < 60
    assert light.std() > 20
    assert dark.std() > 20


def test_nothing_sticks_out_on_a_phone(path):
    text = path.read_text(encoding="utf-8")
    probe = "<script>document.title = document.documentElement.scrollWidth</script></body>"
    probed = path.with_name("probed.html")
    for width in (500, 1200):
        probed.write_text(text.replace("</body>", probe), encoding="utf-8")
        dom = run(probed, f"--window-size={width},900", "--dump-dom").decode()
        assert int(dom.partition("<title>")[2].partition("<")[0]) <= width
    wide = text.replace("</main>", '<div style="width: 3000px">x</div></main>')
    probed.write_text(wide.replace("</body>", probe), encoding="utf-8")
    dom = run(probed, "--window-size=500,900", "--dump-dom").decode()
    assert int(dom.partition("<title>")[2].partition("<")[0]) > 500


def test_it_prints(path):
    target = path.parent / "page.pdf"
    run(path, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    assert target.read_bytes()[:5] == b"%PDF-"
    assert target.stat().st_size > 20_000
