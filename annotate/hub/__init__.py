"""Qualcomm AI Hub: compiles, profiles and runs models on real devices that it hosts."""

from annotate.hub.client import Device, Hub
from annotate.hub.record import Record, Target

__all__ = ["Device", "Hub", "Record", "Target"]
