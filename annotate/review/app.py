"""The requests of the review page and their answers."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from annotate.domain.edits import Edit
from annotate.domain.errors import AnnotateError, EditConflictError, EditError, UsageError
from annotate.review.blocks import outline_block, poses_block
from annotate.review.described import (
    described_job,
    described_moment,
    described_video,
    described_view,
)
from annotate.review.guard import App, Guard
from annotate.review.session import Session

# The most bytes of a request: no edit of the page is longer.
_MOST_BYTES = 1_000_000
# The most frames whose poses are sent at once.
_MOST_FRAMES = 2000
# The most places to check that the page lists.
_MOST_MOMENTS = 5000
# Seconds that the page waits for an answer about what it can play.
_PATIENCE_S = 0.3
_BINARY = "application/octet-stream"


def review_app(session: Session, token: str) -> App:
    """The application that serves the page and what it asks of a session."""
    return Guard(Starlette(routes=_Pages(session).routes), token)


class _Pages:
    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def routes(self) -> list[Route | Mount]:
        video = "/api/videos/{number}"
        with as_file(files("annotate.review") / "page") as page:
            pages = StaticFiles(directory=page, html=True)
        return [
            Route("/api/job", _answering(self._job)),
            Route(video, _answering(self._video)),
            Route(f"{video}/view", _answering(self._view)),
            Route(f"{video}/source", _answering(self._source)),
            Route(f"{video}/times", _answering(self._times)),
            Route(f"{video}/media", _answering(self._media)),
            Route(f"{video}/annotated", _answering(self._annotated)),
            Route(f"{video}/outline", _answering(self._outline)),
            Route(f"{video}/moments", _answering(self._moments)),
            Route(f"{video}/poses", _answering(self._poses)),
            Route(f"{video}/edits", self._changing(self._edit), methods=["POST"]),
            Route(f"{video}/people", self._changing(self._person), methods=["POST"]),
            Route(f"{video}/fills", self._changing(self._fill), methods=["POST"]),
            Mount("/", pages),
        ]

    def _job(self, _request: Request, _body: Any) -> Response:
        return _json(described_job(self._session.status()))

    def _video(self, request: Request, _body: Any) -> Response:
        opened = self._session.video(_number(request)).tracks
        view = opened.view()
        own = opened.own(view)
        return _json({**described_video(opened), **described_view(view), "own": own})

    def _view(self, request: Request, _body: Any) -> Response:
        """What has changed since an edit; nothing where none is newer."""
        opened = self._session.video(_number(request)).tracks
        view = opened.view()
        if view.last == _integer(request, "after", -1):
            return Response(status_code=204)
        return _json(described_view(view))

    def _source(self, request: Request, _body: Any) -> Response:
        source = self._session.video(_number(request)).source
        copy = "copy" in request.query_params
        now = source.playing(copy=copy)
        if now.state == "making":
            source.settle(_PATIENCE_S)  # what needs no copy is soon ready
            now = source.playing(copy=copy)
        shown = ("state", "fraction", "message", "hint", "copy")
        return _json({name: getattr(now, name) for name in shown})

    def _times(self, request: Request, _body: Any) -> Response:
        source = self._session.video(_number(request)).source
        times = source.times_s(copy=source.at_hand().copy)
        return Response(times.astype("<f8").tobytes(), media_type=_BINARY)

    def _media(self, request: Request, _body: Any) -> Response:
        now = self._session.video(_number(request)).source.at_hand()
        if now.path is None:
            return _error(404, "the video is not ready yet", "Wait a moment.")
        return FileResponse(now.path, media_type=now.media_type)

    def _annotated(self, request: Request, _body: Any) -> Response:
        annotated = self._session.video(_number(request)).tracks.annotated
        return Response(annotated.astype(np.uint8).tobytes(), media_type=_BINARY)

    def _outline(self, request: Request, _body: Any) -> Response:
        view = self._session.video(_number(request)).tracks.view()
        return Response(outline_block(view.tracks.outline), media_type=_BINARY)

    def _moments(self, request: Request, _body: Any) -> Response:
        opened = self._session.video(_number(request)).tracks
        return _json([described_moment(one) for one in opened.moments()[:_MOST_MOMENTS]])

    def _poses(self, request: Request, _body: Any) -> Response:
        opened = self._session.video(_number(request)).tracks
        start = max(0, _integer(request, "start", 0))
        stop = min(_integer(request, "stop", 0), start + _MOST_FRAMES, len(opened.index))
        if start >= stop:
            raise UsageError("there are no such frames", "Load the page again.")
        return Response(poses_block(opened.poses(start, stop)), media_type=_BINARY)

    def _edit(self, number: int, body: Any) -> Edit:
        return self._session.add(number, body.get("kind"), body.get("change"), body.get("after"))

    def _person(self, number: int, body: Any) -> Edit:
        return self._session.add_person(number, body, _shown(body))

    def _fill(self, number: int, body: Any) -> Edit:
        return self._session.fill(number, body, _shown(body))

    def _changing(self, make: Callable[[int, Any], Edit]) -> Callable[[Request], Any]:
        """An endpoint that makes an edit, and answers with the tracks after it."""

        def made(request: Request, body: Any) -> Response:
            # A page stays open while the server is started again, for another job perhaps.
            job, number = self._session.job.id, _number(request)
            if body.get("job", job) != job:
                raise UsageError("the page shows another job", "Load the page again.")
            edit = make(number, body)
            view = self._session.video(number).tracks.view()
            return _json({"edit": edit.number, **described_view(view)})

        return _answering(made)


def _answering(make: Callable[[Request, Any], Response]) -> Callable[[Request], Any]:
    """An endpoint that answers errors as JSON; the work runs in a thread."""

    async def endpoint(request: Request) -> Response:
        body = await _body(request) if request.method == "POST" else {}
        if body is None:
            return _error(400, "the request is not JSON, or too long", "Load the page again.")
        try:
            return await run_in_threadpool(partial(make, request, body))
        except AnnotateError as error:
            codes = {EditConflictError: 409, EditError: 400, UsageError: 400}
            return _error(codes.get(type(error), 500), error.message, error.hint)
        except OSError as error:
            return _error(500, f"the store cannot be read: {error.strerror or error}", "Try again.")

    return endpoint


async def _body(request: Request) -> dict[str, Any] | None:
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > _MOST_BYTES:
            return None
    with suppress(ValueError):
        body = orjson.loads(data)
        if isinstance(body, dict):
            return body
    return None


def _shown(body: Any) -> int:
    """The number of the last edit that the page shows."""
    after = body.get("after")
    if type(after) is not int:
        raise EditError("the request says not what the page shows", "Load the page again.")
    return after


def _number(request: Request) -> int:
    return _whole(request.path_params["number"], -1)


def _integer(request: Request, name: str, default: int) -> int:
    return _whole(request.query_params.get(name, ""), default)


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 12 else default


def _json(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


def _error(code: int, message: str, hint: str) -> Response:
    return JSONResponse({"message": message, "hint": hint}, status_code=code)
