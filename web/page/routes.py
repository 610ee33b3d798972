"""The routes of the page: itself at `/`, its files below `/page/`, and the Markdown of an answer as HTML.

Knows nothing of sessions and models: the page uses the public routes like any client.
"""

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from web.body import read
from web.page.assets import CHECKED, FOREVER, Asset, Assets
from web.page.renderer import RenderProcess

RENDER_BYTES = 64_000
"""Maximum size of a text; the page renders an answer in pieces."""


class Page:
    """The routes; `app` gets them from `add_page`."""

    def __init__(self, assets: Assets, renderer: RenderProcess) -> None:
        self._assets, self._renderer = assets, renderer

    async def index(self, http: Request) -> Response:
        return _answer(http, self._assets.index, CHECKED)

    async def file(self, http: Request, version: str, name: str) -> Response:
        """Return a file. One that is asked for by another version's page is not to be kept."""
        if not (asset := self._assets.get(name)):
            raise HTTPException(404)
        return _answer(http, asset, FOREVER if version == self._assets.version else CHECKED)

    async def render(self, http: Request) -> Response:
        """Return the blocks of the Markdown that is the body, as `[{"start": line, "html": …}]`."""
        text = (await read(http, RENDER_BYTES)).decode("utf-8", "replace")
        return Response(await self._renderer.render(text), media_type="application/json")


def add_page(app: FastAPI, renderer: RenderProcess) -> None:
    """Add the page to the application; its Markdown is rendered by `renderer`."""
    page = Page(Assets(), renderer)
    app.get("/", include_in_schema=False)(page.index)
    app.get("/page/{version}/{name:path}", include_in_schema=False)(page.file)
    app.post("/page/render", include_in_schema=False)(page.render)


def _answer(http: Request, asset: Asset, caching: str) -> Response:
    headers = asset.headers(caching)
    if http.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    compressed = "gzip" in http.headers.get("accept-encoding", "")
    if compressed:
        headers["Content-Encoding"] = "gzip"
    body = asset.gzipped if compressed else asset.body
    return Response(body, headers=headers, media_type=asset.media_type)
