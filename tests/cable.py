"""A network cable that a test can pull: a relay of TCP connections on loopback."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self


class Cable:
    """Relays connections from its own port to `port` of loopback while it is plugged in.

    With a TLS context it terminates TLS: its clients use TLS, the server does not.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = port
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._plugged = True
        # How many more connections are cut before the cable is plugged in again, if ever.
        self._cuts: int | None = None
        self._closed = False
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def plugged(self) -> bool:
        """Whether new connections are relayed."""
        return self._plugged

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        self.pull()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def pull(self, cuts: int | None = None) -> None:
        """Cuts all connections; new ones are cut at once, until so many of them were."""
        with self._lock:
            self._plugged, self._cuts = False, cuts
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def plug(self) -> None:
        self._plugged = True

    def _accept(self) -> None:
        while not self._closed:
            ready, _, _ = select.select([self._listener], [], [], 0.05)
            if not ready:
                continue
            near, _ = self._listener.accept()
            if not self._plugged:
                near.close()
                if self._cuts is not None:
                    self._cuts -= 1
                    self._plugged = self._cuts <= 0
                continue
            thread = threading.Thread(target=self._relay, args=(near,))
            self._threads.append(thread)
            thread.start()

    def _relay(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            if self._tls is not None:
                near = self._tls.wrap_socket(near, server_side=True)
            far = socket.create_connection(("127.0.0.1", self._target))
            with near, far, self._known(near, far):
                _pass_on(near, far)

    @contextlib.contextmanager
    def _known(self, *ends: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.update(ends)
        try:
            yield
        finally:
            with self._lock:
                self._open.difference_update(ends)


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    other = {near: far, far: near}
    while True:
        # What TLS has decrypted already is not seen by `select`.
        decrypted = isinstance(near, ssl.SSLSocket) and near.pending()
        ready = [near] if decrypted else select.select([near, far], [], [])[0]
        for end in ready:
            data = end.recv(1 << 16)
            if not data:
                return
            other[end].sendall(data)
