"""The devices of the stand-in for AI Hub: the eleven of the model card of MediaPipe-Pose."""

from dataclasses import dataclass

from qai_hub import public_api_pb2 as pb

X_ELITE, QCS8550 = "Snapdragon X Elite CRD", "QCS8550 (Proxy)"
_FRAMEWORKS = ["framework:onnx", "framework:qnn", "framework:tflite"]


@dataclass(frozen=True)
class HostedDevice:
    """A device, AI Hub's name of its chipset, and ours of its SoC."""

    name: str
    os: str
    chipset: str
    soc: str

    @property
    def message(self) -> pb.Device:
        """What the service says of it."""
        attributes = [f"chipset:{self.chipset}", *_FRAMEWORKS]
        return pb.Device(name=self.name, os=self.os, attributes=attributes)


HOSTED = {
    one.name: one
    for one in (
        HostedDevice("Samsung Galaxy S23", "13", "qualcomm-snapdragon-8gen2", "sm8550"),
        HostedDevice("Samsung Galaxy S24", "14", "qualcomm-snapdragon-8gen3", "sm8650"),
        HostedDevice("Snapdragon 8 Elite QRD", "15", "qualcomm-snapdragon-8-elite", "sm8750"),
        HostedDevice(QCS8550, "12", "qualcomm-qcs8550-proxy", "qcs8550"),
        HostedDevice("SA7255P ADP", "14", "qualcomm-sa7255p", "sa7255p"),
        HostedDevice("SA8255 (Proxy)", "13", "qualcomm-sa8255p-proxy", "sa8255p"),
        HostedDevice("SA8295P ADP", "14", "qualcomm-sa8295p", "sa8295p"),
        HostedDevice("SA8650 (Proxy)", "13", "qualcomm-sa8650p-proxy", "sa8650p"),
        HostedDevice("SA8775P ADP", "14", "qualcomm-sa8775p", "sa8775p"),
        HostedDevice("QCS8450 (Proxy)", "13", "qualcomm-qcs8450-proxy", "qcs8450"),
        HostedDevice(X_ELITE, "11", "qualcomm-snapdragon-x-elite", "x-elite"),
    )
}
