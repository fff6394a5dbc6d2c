"""The Snapdragon SoCs that models can be compiled for: their names and their numbers in QNN."""

from dataclasses import dataclass

from annotate.domain.choices import one_of


@dataclass(frozen=True)
class Soc:
    """A system on chip with a Hexagon NPU.

    Attributes:
        name: its name on the command line and in folders of variants.
        title: its product name.
        soc_model: its number in QNN, which silently ignores names.
        htp_arch: version of its Hexagon Tensor Processor.
        mark: lower-case text in the description that a machine with this SoC gives of itself.
    """

    name: str
    title: str
    soc_model: int
    htp_arch: int
    mark: str


SOCS = (
    Soc("x-elite", "Snapdragon X Elite", 60, 73, "x1e"),
    Soc("x2-elite", "Snapdragon X2 Elite", 88, 81, "x2e"),
    Soc("qcs8550", "Qualcomm QCS8550", 43, 73, "qcs8550"),
    Soc("iq-9075", "Dragonwing IQ-9075", 77, 73, "qcs9075"),
)


def find_soc(name: str) -> Soc:
    """The SoC of that name.

    Raises:
        UsageError: there is no such SoC.
    """
    known = {soc.name: soc for soc in SOCS}
    return known[one_of(list(known), name, "SoC")]


def soc_described(text: str) -> Soc | None:
    """The known SoC in a machine's description of itself, or None. Such descriptions are, e.g.,
    `Snapdragon(R) X Elite - X1E80100 - Qualcomm(R) Oryon(TM) CPU` or `qcom,qcs8550`.
    """
    return next((soc for soc in SOCS if soc.mark in text.lower()), None)
