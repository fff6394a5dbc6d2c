"""The review page in Chromium, as a person uses it: for its tests and benchmarks."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.command import Host
from tests.made_numbers import BITS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: apt-get install chromium"
)
WAIT_MS = 100_000
# Reads the number of the shown frame off the picture.
READ = """() => {
  const video = document.getElementById("video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [BITS * 8, 8];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, canvas.width, canvas.height);
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) {
    number = 2 * number + (pen.getImageData(8 * bit + 4, 4, 1, 1).data[0] > 127 ? 1 : 0);
  }
  return number;
}""".replace("BITS", str(BITS))


@dataclass
class Page:
    """The page in the browser, and all that it complained of or asked elsewhere."""

    page: Any
    address: str
    troubles: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def shows(self, frame: int) -> None:
        """Waits until the page shows a frame, and reads its number off the picture."""
        self.page.wait_for_selector(f"body[data-frame='{frame}']", timeout=WAIT_MS)
        assert self.page.evaluate(READ) == frame

    def open(self, name: str) -> None:
        self.page.evaluate("delete document.body.dataset.ready")
        self.page.click(f"#videos button:has-text('{name}')")
        self.page.wait_for_selector("body[data-ready]", timeout=WAIT_MS)
        self.shows(0)

    def has_edit(self, number: int) -> None:
        """Waits until the page shows the tracks after an edit."""
        self.page.wait_for_selector(f"body[data-last='{number}'][data-fresh=true]", timeout=WAIT_MS)


def started(host: Host) -> tuple["subprocess.Popen[str]", str]:
    """`annotate review`, and the address that it printed."""
    process = host.start("review", "--no-browser")
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found, process.communicate()
    return process, found.group(0)


def stop(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    return err


@contextmanager
def served(host: Host) -> Iterator[str]:
    """The address of the page while `annotate review` serves it."""
    process, address = started(host)
    try:
        yield address
    finally:
        stop(process)


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--mute-audio"]
        )
        yield browser
        browser.close()


def page_of(browser: Any, address: str) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = Page(context.new_page(), address)
    own = address.split("?")[0]

    def look(request: Any) -> None:
        if not request.url.startswith((own, "data:", "blob:")):
            page.troubles.append(request.url)

    def heard(message: Any) -> None:
        if message.type in ("error", "warning"):
            page.troubles.append(message.text)

    page.page.on("request", look)
    page.page.on("console", heard)
    page.page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.page.goto(address, timeout=WAIT_MS)
    page.page.wait_for_selector("body[data-ready]", timeout=WAIT_MS)
    return page


@contextmanager
def untroubled(browser: Any, address: str) -> Iterator[Page]:
    """The page, which must not have complained in the end."""
    page = page_of(browser, address)
    yield page
    assert page.troubles == []
    page.page.context.close()
