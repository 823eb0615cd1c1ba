import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network import AvgPool, MaxPool, Upsample


def test_windows_stand_side_by_side_unless_a_stride_is_given():
    assert MaxPool((2, 3)).stride == (2, 3)
    assert AvgPool(3, 1).stride == 1
    assert AvgPool(2).out_of(7) == MaxPool(2).out_of(7) == Upsample(2).out_of(7) == 7


def test_the_axes_that_tuples_speak_of():
    assert MaxPool(3, 2, (1, 1)).lengths == {2}
    assert Upsample((2, 2, 1)).lengths == {3}
    assert Upsample(2).lengths == AvgPool(2).lengths == set()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MaxPool(0), "size of MaxPool is 1 or more, not 0"),
        (lambda: AvgPool(2, -1), "stride of AvgPool is 1 or more, not -1"),
        (lambda: Upsample(0), "scale of Upsample is 1 or more, not 0"),
        (lambda: Upsample(1.5), "scale of Upsample is a whole number, not 1.5"),
        (lambda: Upsample(2, "cubic"), "nearest or linear, not 'cubic'"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()
