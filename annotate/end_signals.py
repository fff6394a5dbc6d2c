"""How a command is told to end."""

import signal

# The signals that end a command. Windows has no SIGHUP.
END_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
