"""Qualcomm AI Hub: compiles, profiles and runs models on real devices that it hosts."""

from annotate.hub.client import Device, Hub
from annotate.hub.record import PRECISIONS, RUNTIMES, Record, Target

__all__ = ["PRECISIONS", "RUNTIMES", "Device", "Hub", "Record", "Target"]
