"""Who may use the page: whoever has its token, from this host, and from no other page."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse, Response

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# A page of another name that was pointed at this host is refused; the port may be that of a tunnel.
_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_TOKEN_HEADER = "x-annotate-token"  # noqa: S105 - the name of a header
# Nothing from elsewhere is loaded, and no other page may hold this one.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": _POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Guard:
    """Lets requests through to the application, or answers 403.

    The address that is opened first holds the token, which becomes a cookie; the address that the
    browser then shows holds none.
    """

    def __init__(self, app: App, token: str) -> None:
        self._app, self._token = app, token
        # Several pages of this host have cookies of their own: ports do not keep cookies apart.
        self._cookie = f"annotate-{hashlib.sha256(token.encode()).hexdigest()[:12]}"

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers a request, or hands it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS.items()]
            await send(message)

        answer = self._refusal(scope)
        await (answer or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Message) -> Response | None:
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        if _part_of(f"//{host}", "hostname") not in _OWN_NAMES:
            return _refused("this page is for this host only")
        if origin is not None and _part_of(origin, "netloc") != host:
            return _refused("another page may not use this one")
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "GET" and scope["path"] == "/" and self._is_token(given):
            answer = RedirectResponse("/", status_code=303)
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
            return answer
        known = self._is_token(headers.get(_TOKEN_HEADER, "")) or self._is_token(
            _cookie(headers.get("cookie", ""), self._cookie)
        )
        if not known:
            return _refused("open the address that `annotate review` printed")
        if scope["method"] not in ("GET", "HEAD") and origin is None:
            return _refused("a change must come from the page")
        return None

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _part_of(address: str, part: str) -> str:
    """A part of an address, as `urlsplit` names it; empty where there is none."""
    try:
        return getattr(urlsplit(address), part) or ""
    except ValueError:
        return ""


def _refused(why: str) -> Response:
    return PlainTextResponse(f"403: {why}\n", status_code=403)
