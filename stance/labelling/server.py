"""The page on this computer alone: who may ask, and what is answered.

Only 127.0.0.1 listens, on a port that the system chooses. The address of the page holds a secret;
the page's script sends it in a header with whatever it asks, so that other programs and pages,
which do not know it, learn and change nothing. The page loads nothing and its policy lets it load
nothing.
"""

import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from stance.errors import DataError, StanceError
from stance.files import DATA
from stance.labelling import Json, Session
from stance.reports import environment
from stance.settings import read_text

HOST = "127.0.0.1"

_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_POLICY = (
    "default-src 'none'; script-src 'nonce-NONCE'; style-src 'nonce-NONCE'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


def serve(
    session: Session, codebook: str, announce: Callable[[str], None], *, browser: bool = True
) -> None:
    """Show a session's page, whose address is announced, until Ctrl-C; the codebook is Markdown."""
    import uvicorn

    key = secrets.token_urlsafe(32)
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        host = f"{HOST}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            make_app(session, codebook, key, host),
            http="h11", ws="none", loop="asyncio", lifespan="off", log_config=None,
            access_log=False, server_header=False, proxy_headers=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        address = f"http://{host}/{key}"
        announce(address)
        if browser:  # in a thread, since a browser of the terminal returns when it is closed
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        uvicorn.Server(config).run(sockets=[listener])


def make_app(session: Session, codebook: str, key: str, host: str) -> Any:
    """Return the application that answers a session's page, if asked by this host and key."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route

    def check(request: Request, given: str) -> None:
        headers = request.headers
        if not (
            headers.getlist("host") == [host]  # or a foreign name that leads here would do
            and headers.get("origin", f"http://{host}") == f"http://{host}"
            and headers.get("sec-fetch-site", "none") in ("none", "same-origin")
            and secrets.compare_digest(given.encode(), key.encode())
        ):
            why = "this page belongs to an earlier run; open the address that stance printed last"
            raise HTTPException(403, why)

    async def page(request: Request) -> Response:
        check(request, request.path_params["key"])
        nonce = secrets.token_urlsafe(16)
        policy = {"content-security-policy": _POLICY.replace("NONCE", nonce)}
        shown = {"session": session, "codebook": markdown(codebook), "nonce": nonce}
        template = environment().get_template("label.html.j2")  # its script asks for the pairs
        return HTMLResponse(template.render(shown), headers=_HEADERS | policy)

    async def answer(request: Request) -> Response:
        check(request, request.headers.get("x-stance-key", ""))
        try:
            reply = verbs[request.path_params["verb"]](await request.json())
        except ClientDisconnect:  # cut off, as by closing the page
            return Response(headers=_HEADERS)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise DataError("not saved: what the page sent is not a label") from error
        return JSONResponse(reply, headers=_HEADERS)

    async def failed(_: Request, error: Exception) -> Response:
        status, text = getattr(error, "status_code", 422), getattr(error, "detail", str(error))
        return JSONResponse({"error": text}, status, _HEADERS)

    verbs: dict[str, Callable[[Json], Json]] = {
        "label": lambda asked: session.save(asked["pair"], asked["label"]),
        "next": lambda _: session.next(),
        "back": lambda asked: session.back(asked["pair"]),
    }
    routes = [Route("/{key}", page), Route("/ask/{verb}", answer, methods=["POST"])]
    return Starlette(routes=routes, exception_handlers={HTTPException: failed, StanceError: failed})


# --- The page: one document that carries its style and script -------------------------------------


def read_codebook(path: Path | None) -> str:
    """Return the Markdown of a codebook, ours if none is named."""
    ours = DATA / "codebook.md", DATA.parents[1] / "docs" / "codebook.md"
    return read_text(path or next(filter(Path.is_file, ours)), "codebook")


def markdown(text: str) -> Markup:
    r"""Return Markdown as HTML that loads nothing and leads nowhere: links and images stay text.

    >>> markdown("**favor** <b>")
    Markup('<p><strong>favor</strong> &lt;b&gt;</p>\n')
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.disable(["link", "image", "autolink", "reference"])
    return Markup(parser.render(text))  # noqa: S704 (it escapes)
