"""The files of the page, read once: their bytes as they are and compressed, and the headers that go with them.

They are asked for below one hash of them all, so each may be kept for ever, and they name each other by relative paths.
Knows nothing of routes.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER, CHECKED = "public, max-age=31536000, immutable", "no-cache"
VERSION_MARK = "{version}"
HASH_CHARACTERS = 16
SECURITY = {
    "Content-Security-Policy": "; ".join(
        (
            *("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"),
            *("img-src 'self' data: blob:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
            *("require-trusted-types-for 'script'", "trusted-types answer"),
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Nothing is loaded from elsewhere and nothing inline is run; HTML goes into the page by one policy, `answer`."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: its bytes, the same with gzip, its type, and a name of this content."""

    body: bytes
    gzipped: bytes
    media_type: str
    etag: str

    def headers(self, caching: str) -> dict[str, str]:
        return {**SECURITY, "Cache-Control": caching, "ETag": self.etag, "Vary": "Accept-Encoding"}


class Assets:
    """All files below `folder`, by their relative paths; `version` is a hash of them all."""

    def __init__(self, folder: Path = STATIC) -> None:
        files = {
            path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.suffix in TYPES
        }
        bodies = {name: path.read_bytes() for name, path in files.items()}
        self.version = _hash(b"\0".join(name.encode() + b"\0" + body for name, body in bodies.items()))
        bodies[INDEX] = bodies[INDEX].replace(VERSION_MARK.encode(), self.version.encode())
        self._assets = {name: _asset(name, body) for name, body in bodies.items()}

    def get(self, name: str) -> Asset | None:
        return self._assets.get(name)

    @property
    def index(self) -> Asset:
        return self._assets[INDEX]


def _asset(name: str, body: bytes) -> Asset:
    compressed = gzip.compress(body, compresslevel=9, mtime=0)
    media_type = f"{TYPES[Path(name).suffix]}; charset=utf-8"
    return Asset(body=body, gzipped=compressed, media_type=media_type, etag=f'W/"{_hash(body)}"')


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:HASH_CHARACTERS]
