"""What matters for the NPU on this host: architectures, the SoC, access to the DSP."""

import ctypes
import os
import platform
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from annotate.domain.soc import Soc, soc_described

# How a process reaches the NPUs of a board, and the memory that it shares with them.
NPU_DEVICES = (Path("/dev/fastrpc-cdsp"), Path("/dev/fastrpc-cdsp1"))
DMA_HEAP = Path("/dev/dma_heap/system")
FASTRPC_LIBRARY = "libcdsprpc.so"
_DESCRIPTIONS = (
    Path("/sys/devices/soc0/machine"),
    Path("/sys/firmware/devicetree/base/compatible"),
)
_IMAGE_FILE_MACHINE_ARM64 = 0xAA64


def process_architecture() -> str:
    """The platform that this Python was built for, e.g. `linux-x86_64` or `win-arm64`."""
    return sysconfig.get_platform()


def host_architecture() -> str:
    """The architecture of the processor, even where it emulates another one for this Python."""
    if sys.platform == "win32":
        process, native = ctypes.c_ushort(), ctypes.c_ushort()
        kernel = ctypes.windll.kernel32
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        this = ctypes.c_void_p(kernel.GetCurrentProcess())
        if kernel.IsWow64Process2(this, ctypes.byref(process), ctypes.byref(native)):
            return "ARM64" if native.value == _IMAGE_FILE_MACHINE_ARM64 else "AMD64"
    return platform.machine()


def is_emulated_on_arm() -> bool:
    """Whether this Python is for x86-64 Windows and an Arm host emulates it."""
    return process_architecture() == "win-amd64" and host_architecture() == "ARM64"


def emulates_npu() -> bool:
    """Whether the QNN libraries for this Python contain an emulator and cannot reach an NPU.

    The libraries for x86-64 Linux and Windows emulate it, unless an Arm host emulates x86-64: there
    `qnn_library` chooses those that reach the NPU.
    """
    if process_architecture() == "win-amd64":
        return not is_emulated_on_arm()
    return process_architecture() == "linux-x86_64"


def this_soc() -> Soc | None:
    """The SoC of this host, or None where it is not a known one."""
    return soc_described(_description())


def access_to(device: Path, mode: int = os.R_OK | os.W_OK) -> str:
    """Whether this user can open a device file: `usable`, `missing`, or `no access`, with the group
    that has it.
    """
    try:
        facts = device.stat()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"no access: {error.strerror}"
    if os.access(device, mode):
        return "usable"
    return f"no access: it belongs to the group {_group(facts.st_gid)}"


def npus(soc: Soc) -> tuple[int, ...]:
    """Numbers of the NPUs of that SoC which this host can reach; the first one is always named.

    A SoC may have a second one, which Linux shows as another device file.
    """
    if soc.npus == 1 or sys.platform != "linux":
        return (0,)
    more = enumerate(NPU_DEVICES[1 : soc.npus], start=1)
    return (0, *(number for number, file in more if access_to(file) == "usable"))


def fastrpc_library() -> bool:
    """Whether the vendor's library for the DSP loads. It is part of the system, not of a wheel."""
    try:
        ctypes.CDLL(FASTRPC_LIBRARY)
    except OSError:
        return False
    return True


def _group(number: int) -> str:
    with suppress(ImportError, KeyError):
        import grp  # Windows has none

        return grp.getgrgid(number).gr_name
    return str(number)


def _description() -> str:
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(
            winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        ) as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
    text = ""
    for file in _DESCRIPTIONS:
        with suppress(OSError):
            text += file.read_text(errors="replace")
    return text
