"""Serves the web page's files, which are part of the package: read once, compressed once, with a strict policy.

The page is the same for everybody and holds no data. It asks the API for all that it shows, with the rights of the
login.
"""

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["HEADERS", "routes"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self';"
    " worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types hub"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with a stricter one, browsers send `Origin: null` with our own forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_TOP = {"/": "index.html", "/sw.js": "sw.js", "/manifest.webmanifest": "manifest.webmanifest"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, the same compressed ("" where that is no smaller), and the tag by which browsers know it."""

    media: str
    plain: bytes
    packed: bytes
    tag: str

    def answer(self, request: Request) -> Response:
        """Return the file, or 304 where the browser has it. It asks each time, so that a new version shows at once."""
        headers = HEADERS | {"Cache-Control": "no-cache", "ETag": self.tag, "Vary": "Accept-Encoding"}
        tags = request.headers.get("if-none-match", "")
        if self.tag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]:
            return Response(status_code=304, headers=headers)
        packed = bool(self.packed) and "gzip" in request.headers.get("accept-encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if packed else self.plain, media_type=self.media, headers=headers)


def routes() -> list[Route]:
    """Return the routes of all files. They need no login: the page itself asks for one."""
    loaded = {file.name: _load(file.name, file.read_bytes()) for file in _folder().iterdir() if file.is_file()}
    top = [_route(path, loaded[name]) for path, name in _TOP.items()]
    return top + [_route(f"/assets/{name}", asset) for name, asset in loaded.items() if name not in _TOP.values()]


def _folder() -> Traversable:
    return files("hub.operate.web").joinpath("assets")


def _load(name: str, content: bytes) -> Asset:
    media = _MEDIA[PurePosixPath(name).suffix]
    packed = gzip.compress(content, mtime=0)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Asset(media, content, packed if len(packed) < len(content) else b"", tag)


def _route(path: str, asset: Asset) -> Route:
    async def serve(request: Request) -> Response:
        return asset.answer(request)

    return Route(path, serve, methods=["GET"])
