"""Serves the stand-in for AI Hub over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

from tests.hub.service import TOKEN, HubService, etag


@contextmanager
def serving(service: HubService) -> Iterator[None]:
    """Serves `service` on a free port of this machine."""
    with _Server(service) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: HubService) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service
        self.lock = threading.Lock()
        service.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _reply(self) -> None:
        body = self._body()
        with self.server.lock:
            status, kind, content = self._answer(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if self.command == "PUT":
            self.send_header("ETag", etag(body))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and content."""
        service, url = self.server.service, urlparse(self.path)
        protobuf = "application/x-protobuf"
        service.requests.append(f"{self.command} {url.path}")
        if service.broken:
            return service.broken, protobuf, b""
        if url.path.startswith("/api") and self.headers["Authorization"] != f"token {TOKEN}":
            return 401, protobuf, b""
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        try:
            answer = service.answer(self.command, url.path, query, body)
        except LookupError:
            return 404, protobuf, b""
        if isinstance(answer, bytes):
            return 200, "application/octet-stream", answer
        return 200, protobuf, answer.SerializeToString()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    do_GET = do_POST = do_PUT = do_PATCH = _reply  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Logs nothing."""
