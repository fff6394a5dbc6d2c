"""Serves the review page on this host until Ctrl-C."""

import contextlib
import os
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from annotate.domain.errors import UsageError
from annotate.end_signals import END_SIGNALS
from annotate.review.app import review_app
from annotate.review.session import Session

HOST = "127.0.0.1"


def serve(session: Session, port: int, *, browser: bool, announce: Callable[[str], None]) -> None:
    """Serves a session until KeyboardInterrupt, which it raises.

    Args:
        port: 0 is a free one.
        browser: open the page in the browser of this host.
        announce: gets the address of the page, once it can be opened.

    Raises:
        UsageError: the port is taken.
    """
    token = secrets.token_urlsafe(24)
    app = review_app(session, token)
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        date_header=False,
        server_header=False,
    )
    with _listening(port) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}/?token={token}"
        announce(address)
        if browser and _has_screen():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        _Server(config).run([listener])


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal that ends the command ends the server between two steps of its loop, and
        then the command; a second one ends it at once. An exception amid a request would be taken
        for a fault of the page, and the server would go on.
        """
        handlers = {number: signal.getsignal(number) for number in END_SIGNALS}
        ours = {number: handler for number, handler in handlers.items() if callable(handler)}
        heard: list[int] = []

        def end(number: int, _frame: FrameType | None) -> None:
            heard.append(number)
            self.should_exit = self.force_exit = True
            restore()

        def restore() -> None:
            for number, handler in ours.items():
                signal.signal(number, handler)

        for number in ours:
            signal.signal(number, end)
        try:
            yield
        finally:
            restore()
        if heard:
            signal.raise_signal(heard[0])


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise UsageError(
                f"port {port} of this host cannot be used: {error.strerror}",
                "Leave --port away for a free one, or name another.",
            ) from error
        listener.listen(128)
        yield listener


def _has_screen() -> bool:
    """Whether a browser that opens here is one that the user sees."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
