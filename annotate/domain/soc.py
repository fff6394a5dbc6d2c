"""The Snapdragon SoCs that models can be compiled for: their names and their numbers in QNN.

Numbers are those of `Qnn_SocModel_t` in QnnTypes.h of the QAIRT SDK (88, the X2 Elite, and 97, the
8 Gen 5, are newer than that list). The HTP versions, and which SoCs compute in 16-bit floats, are
what the compiler of QAIRT 2.51 does with each number; tests/test_soc.py compares them.
"""

from dataclasses import dataclass

from annotate.domain.choices import one_of


@dataclass(frozen=True)
class Soc:
    """A system on chip with a Hexagon NPU.

    Attributes:
        name: its name on the command line and in folders of variants.
        title: its product name.
        soc_model: its number in QNN, which silently ignores names. SoCs with the same number have
            the same NPU and the same compiled models.
        htp_arch: version of its Hexagon Tensor Processor.
        marks: lower-case texts, one of which is in the description that a machine with this SoC
            gives of itself.
        has_float16: whether its NPU runs float models, as 16-bit floats; else only quantized ones.
        npus: how many NPUs it has; each runs models by itself.
    """

    name: str
    title: str
    soc_model: int
    htp_arch: int
    marks: tuple[str, ...]
    has_float16: bool = True
    npus: int = 1


# Several may match a device tree, which also names the SoC that a board's own is derived from: the
# more special ones come first.
SOCS = (
    # Computers
    Soc("x-elite", "Snapdragon X Elite", 60, 73, ("x1e",)),
    Soc("x-plus", "Snapdragon X Plus", 60, 73, ("x1p",)),
    Soc("x2-elite", "Snapdragon X2 Elite", 88, 81, ("x2e",)),
    Soc("x2-plus", "Snapdragon X2 Plus", 88, 81, ("x2p",)),
    Soc("8cx-gen3", "Snapdragon 8cx Gen 3", 37, 68, ("sc8280xp", "8cx gen 3"), has_float16=False),
    # Boards
    Soc("qcs6490", "Qualcomm QCS6490", 35, 68, ("qcs6490", "qcm6490"), has_float16=False),
    Soc("qcs8450", "Qualcomm QCS8450", 36, 69, ("qcs8450",)),
    Soc("qcs8550", "Qualcomm QCS8550", 43, 73, ("qcs8550",)),
    Soc("iq-8275", "Dragonwing IQ-8275", 82, 75, ("qcs8275", "qcs8300")),
    Soc("iq-9075", "Dragonwing IQ-9075", 77, 73, ("qcs9075", "qcs9100"), npus=2),
    Soc("q-6690", "Dragonwing Q-6690", 78, 73, ("qcm6690",), has_float16=False),
    # Cars
    Soc("sa7255p", "Qualcomm SA7255P", 82, 75, ("sa7255p",)),
    Soc("sa8255p", "Qualcomm SA8255P", 52, 73, ("sa8255p",)),
    Soc("sa8295p", "Qualcomm SA8295P", 39, 68, ("sa8295p",)),
    Soc("sa8650p", "Qualcomm SA8650P", 52, 73, ("sa8650p",)),
    Soc("sa8775p", "Qualcomm SA8775P", 52, 73, ("sa8775p",)),
    # Phones, tablets and headsets
    Soc("sm7325", "Snapdragon 778G", 35, 68, ("sm7325",), has_float16=False),
    Soc("sm7450", "Snapdragon 7 Gen 1", 41, 69, ("sm7450",)),
    Soc("sm7475", "Snapdragon 7+ Gen 2", 54, 69, ("sm7475",), has_float16=False),
    Soc("sm7550", "Snapdragon 7 Gen 3", 64, 73, ("sm7550",), has_float16=False),
    Soc("sm7675", "Snapdragon 7+ Gen 3", 70, 73, ("sm7675",), has_float16=False),
    Soc("sm7750", "Snapdragon 7 Gen 4", 86, 73, ("sm7750",), has_float16=False),
    Soc("sm8350", "Snapdragon 888", 30, 68, ("sm8350",)),
    Soc("sm8450", "Snapdragon 8 Gen 1", 36, 69, ("sm8450",)),
    Soc("sm8475", "Snapdragon 8+ Gen 1", 42, 69, ("sm8475",)),
    Soc("sm8550", "Snapdragon 8 Gen 2", 43, 73, ("sm8550",)),
    Soc("sm8635", "Snapdragon 8s Gen 3", 68, 73, ("sm8635",), has_float16=False),
    Soc("sm8650", "Snapdragon 8 Gen 3", 57, 75, ("sm8650",)),
    Soc("sm8735", "Snapdragon 8s Gen 4", 85, 73, ("sm8735",), has_float16=False),
    Soc("sm8750", "Snapdragon 8 Elite", 69, 79, ("sm8750",)),
    Soc("sm8845", "Snapdragon 8 Gen 5", 97, 81, ("sm8845",)),
    Soc("sm8850", "Snapdragon 8 Elite Gen 5", 87, 81, ("sm8850",)),
    Soc("xr2-gen2", "Snapdragon XR2 Gen 2", 53, 69, ("sxr2230p",)),
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
    described = text.lower()
    return next((soc for soc in SOCS if any(mark in described for mark in soc.marks)), None)


def with_same_npu(soc: Soc) -> Soc:
    """The first SoC with this one's number: compiled models are filed under its name."""
    return next(one for one in SOCS if one.soc_model == soc.soc_model)
