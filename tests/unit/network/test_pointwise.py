import pytest

from erf_theory.activations import nonlinearity
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Dropout, Identity, Norm


def test_an_activation_by_name_or_of_one_s_own():
    own = nonlinearity(lambda z: z**3, lambda z: 3 * z**2)
    assert Activation(own).nonlinearity is own
    assert Activation("tanh").nonlinearity == nonlinearity("tanh")
    with pytest.raises(ErfTheoryError, match="no such"):
        Activation("no such")
    with pytest.raises(ErfTheoryError, match="3 is no activation"):
        Activation(3)


def test_channels_pass():
    layers = (Activation("relu"), Dropout(), Identity(), Norm("group", 3), Norm(scale=[1] * 6))
    assert [layer.out_of(6) for layer in layers] == [6] * 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Norm("spectral"), "one of batch, layer, place, group, instance, not 'spectral'"),
        (lambda: Norm("group", 0), "groups of Norm is 1 or more, not 0"),
        (lambda: Norm(eps=-1), "eps of Norm is a number of at least 0"),
        (lambda: Norm(eps="small"), "eps of Norm is a number of at least 0"),
        (lambda: Norm("group", 4).out_of(6), "4 groups do not divide 6 channels"),
        (lambda: Norm(shift=[1, 2]).out_of(3), r"shift of a norm has shape \(2,\), and 3 channels"),
        (lambda: Norm(scale=5.0).out_of(1), r"scale of a norm has shape \(\), and 1 channels"),
        (lambda: Dropout(1), "rate of Dropout is a number of at least 0 and below 1, not 1"),
        (lambda: Dropout("half"), "rate of Dropout is a number"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()
