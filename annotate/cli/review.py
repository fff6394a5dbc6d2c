"""`annotate review`."""

from typing import Annotated

import typer

from annotate.cli.chosen import chosen_videos
from annotate.cli.draw import WhatArgument
from annotate.cli.options import StoreOption, store_of
from annotate.cli.text import count, say

# Seconds for which a bucket that is away is tried, while a reviewer waits at the page.
_PATIENCE_S = 5.0
PortOption = Annotated[
    int,
    typer.Option("--port", min=0, max=65535, help="Port of this host.", show_default="a free one"),
]
BrowserOption = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
]


def review(
    what: WhatArgument = None,
    *,
    port: PortOption = 0,
    browser: BrowserOption = True,
    store: StoreOption = None,
) -> None:
    """Look at annotated videos in the browser, and make their tracks right.

    The page is served to this host alone, at an address with a secret.
    From another host: ssh -L 8000:localhost:8000 HOST, and --port 8000 there.
    Edits lie beside the tracks and can all be undone: see `annotate edits`.
    Press ? on the page for its keys. Ctrl-C ends.

    Examples:

      annotate review

      annotate review walk.mp4 --port 8000 --no-browser
    """
    from annotate.review.serve import serve
    from annotate.review.session import Session

    the_store, settings = store_of(store, _PATIENCE_S)
    job, videos = chosen_videos(the_store, what or [])
    session = Session(the_store, settings, job)
    first = job.videos.index(videos[0]) if what and len(videos) < len(job.videos) else None

    def announce(address: str) -> None:
        place = "" if first is None else f"#video={first}"
        say(f"Review job {job.id} at {address}{place}")
        say("Ctrl-C ends.", err=True)
        session.open_ahead(first or 0)

    try:
        serve(session, port, browser=browser, announce=announce)
    except KeyboardInterrupt:
        say(f"Ended; {count(session.made, 'edit')} made.", err=True)
    finally:
        session.close()
