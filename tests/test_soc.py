"""The SoCs that models are compiled for."""

import pytest

from annotate.domain.errors import UsageError
from annotate.domain.soc import SOCS, find_soc, soc_described


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Snapdragon(R) X Elite - X1E80100 - Qualcomm(R) Oryon(TM) CPU", "x-elite"),
        ("Snapdragon(R) X2 Elite - X2E80100 - Qualcomm(R) Oryon(TM) CPU", "x2-elite"),
        ("qcom,qcs8550-aim300-aiot\0qcom,qcs8550\0qcom,sm8550", "qcs8550"),
        ("QCS9075\n", "iq-9075"),
        ("Snapdragon(R) X Plus - X1P42100 - Qualcomm(R) Oryon(TM) CPU", None),
        ("AMD EPYC", None),
    ],
)
def test_a_host_detects_its_soc_from_its_description(text: str, name: str | None) -> None:
    soc = soc_described(text)
    assert (soc and soc.name) == name


def test_an_unknown_soc_is_refused_with_a_suggestion() -> None:
    assert [find_soc(soc.name) for soc in SOCS] == list(SOCS)
    with pytest.raises(UsageError, match="'x-elit' is not one of: x-elite, x2-elite") as raised:
        find_soc("x-elit")
    assert raised.value.hint == "Did you mean x-elite?"
