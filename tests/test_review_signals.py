"""Ctrl-C ends the review server, whatever it does at the moment."""

from pathlib import Path

from tests.command import Host

# A page that gets Ctrl-C amid a request.
PROGRAM = """
import signal, socket, threading, urllib.request
import uvicorn
from annotate.cli.signals import end_alike
from annotate.review.serve import _Server

async def app(scope, receive, send):
    signal.raise_signal(signal.SIGINT)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"whole"})

end_alike()
listener = socket.create_server(("127.0.0.1", 0))
address = f"http://127.0.0.1:{listener.getsockname()[1]}"
pages = []
reader = threading.Thread(target=lambda: pages.append(urllib.request.urlopen(address).read()))
reader.start()
try:
    _Server(uvicorn.Config(app, log_level="error", lifespan="off")).run([listener])
except KeyboardInterrupt:
    reader.join()
    assert pages == [b"whole"]
else:
    raise SystemExit("the server ended without a signal")
"""


def test_ctrl_c_amid_a_request_ends_the_server(tmp_path: Path) -> None:
    Host(tmp_path / "store", tmp_path / "packs", tmp_path).run_python(PROGRAM)
