"""Qualcomm AI Hub, a service that compiles, profiles and runs models on real devices."""

from annotate.hub.client import Device, Hub
from annotate.hub.record import Record, Target

__all__ = ["Device", "Hub", "Record", "Target"]
