"""All networks of the zoo: every engine's profile, and the whole map beside the profile."""

from collections import Counter

import numpy as np
import pytest

from erf_theory import network_erf, zoo
from erf_theory.derived import Profile, Samples
from erf_theory.engines import cumulants, support
from erf_theory.errors import EngineError
from erf_theory.network.geometry import resolved

QUICK = ("alexnet", "vgg16", "mobilenet_v2", "resnet50_slim", "tcn", "unet", "unet_linear")
"""One of every kind; all of them with --thorough."""
ENGINES = ("convolution", "dtft", "contour", "multinomial", "balls")
SUMMED = {"unet_linear"}
"""Their lags and phases leave no profile but the sum of the whole map."""
UPSAMPLING = {"unet", "unet_linear", "unet_nearest", "hrnet_w18"}


@pytest.fixture
def networks(times):
    """Networks by name, with TensorFlow's paddings as at 224 pixels."""
    names = times(QUICK, tuple(zoo.ZOO))
    made = {name: zoo.ZOO[name]() for name in names}
    return {name: resolved(network, 224) for name, network in made.items()}


def program_of(erf):
    """What makes the only factor of a map."""
    (factor,) = erf.factors
    return (factor.source if isinstance(factor, Samples) else factor).program


def test_engines_agree_on_the_profile_of_every_network(networks):
    answered = Counter()
    for name, network in networks.items():
        exact = network_erf(network, ndim=1, engine="multinomial").values
        for engine in ENGINES:
            found = network_erf(network, ndim=1, engine=engine)
            if engine == "contour" and name in UPSAMPLING:
                with pytest.raises(EngineError, match="contour engine cannot"):
                    _ = found.values
                continue
            shares = found.factors[0].shares
            close = max(1e-10 * exact.max(), shares.error)
            assert found.values == pytest.approx(exact, rel=0, abs=close), name
            assert shares.engine == engine
            assert shares.error <= (1e-8 if name in SUMMED else 1e-9) * exact.max()
            answered[engine] += 1
    refused = len(UPSAMPLING & networks.keys())
    assert answered == {e: len(networks) - refused * (e == "contour") for e in ENGINES}


def test_moments_without_a_map_are_those_of_the_profile_of_every_network(networks):
    for name, network in networks.items():
        erf = network_erf(network, ndim=1)
        if name in SUMMED:
            assert isinstance(erf.factors[0], Profile)
            continue
        if name in UPSAMPLING:
            with pytest.raises(EngineError, match=r"cumulants engine cannot keep every \(2,\)th"):
                program_of(erf)(cumulants.impulse(1, order=2))
            continue
        field = program_of(erf)(cumulants.impulse(1, order=2))
        places = np.arange(len(erf.values)) + erf.factors[0].start[0]
        mean = erf.values @ places
        assert float(field.log_mass) == pytest.approx(erf.log_norm, rel=1e-12, abs=1e-12), name
        assert float(field.cumulant(1, 0)) == pytest.approx(mean, rel=1e-11, abs=1e-9), name
        variance = erf.values @ (places - mean) ** 2
        assert float(field.cumulant(2, 0)) == pytest.approx(variance, rel=1e-11), name


def test_the_support_is_where_the_profile_of_every_network_is_not_zero(networks):
    for name, network in networks.items():
        erf = network_erf(network, ndim=1)
        if name in SUMMED:
            assert isinstance(erf.factors[0], Profile)
            continue
        mask = program_of(erf)(support.impulse(1)).mask
        assert np.array_equal(mask, erf.values > 0), name


def test_the_whole_map_of_every_network_sums_up_to_its_profile(networks):
    for name, network in networks.items():
        if network.ndim == 1:
            continue
        whole, lines = network_erf(network), [network_erf(network, ndim=1, axis=i) for i in (0, 1)]
        assert whole.values.shape == tuple(len(line.values) for line in lines), name
        assert abs(whole.values.sum() - 1) < 1e-12, name
        for axis, line in enumerate(lines):
            marginal = whole.values.sum(axis=1 - axis)
            assert line.values == pytest.approx(marginal, rel=1e-9), name
            assert line.log_mass == pytest.approx(whole.log_mass, rel=1e-12, abs=1e-12), name
            assert line.std == pytest.approx(whole.covariance[axis, axis] ** 0.5, rel=1e-9), name
            assert (line.exactness, line.reasons) == (whole.exactness, whole.reasons), name
