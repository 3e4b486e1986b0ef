"""The page's files, as they lie in the package: read once, compressed once, served with a strict policy.

The page is the same for everybody and holds no data: what it shows it asks of the API, with the session's rights.
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
    "Referrer-Policy": "same-origin",  # stricter, and browsers send `Origin: null` with our own forms
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
    """One file: as it is, compressed where that makes it smaller, and the tag that tells its content."""

    media: str
    plain: bytes
    packed: bytes
    tag: str

    def answer(self, request: Request) -> Response:
        """Return it, or that the browser has it already. A browser asks each time, so a new version shows at once."""
        headers = HEADERS | {"Cache-Control": "no-cache", "ETag": self.tag, "Vary": "Accept-Encoding"}
        known = request.headers.get("if-none-match", "")
        if self.tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
            return Response(status_code=304, headers=headers)
        packed = bool(self.packed) and "gzip" in request.headers.get("accept-encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if packed else self.plain, media_type=self.media, headers=headers)


def routes() -> list[Route]:
    """Return the routes of all files; they need no login."""
    found = {each.name: _load(each.name, each.read_bytes()) for each in _folder().iterdir() if each.is_file()}
    top = [_route(path, found[name]) for path, name in _TOP.items()]
    return top + [_route(f"/assets/{name}", asset) for name, asset in found.items() if name not in _TOP.values()]


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
