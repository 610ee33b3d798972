"""The routes of the models that requests may name, as OpenAI has them."""

import time
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI

from gateway.errors import UnknownModel
from web.openapi import documented


def add_models(app: FastAPI, names: Iterable[str]) -> None:
    """Add `GET /v1/models`, and `GET /v1/models/{id}` for each; an id may contain slashes."""
    created = int(time.time())
    models = {
        name: {"id": name, "object": "model", "created": created, "owned_by": "reasoning-gateway"} for name in names
    }

    async def listed() -> dict[str, Any]:
        return {"object": "list", "data": list(models.values())}

    async def single(id: str) -> dict[str, Any]:
        if id not in models:
            raise unknown_model(id)
        return models[id]

    app.get("/v1/models", **documented(refusals=[401, 403]))(listed)
    app.get("/v1/models/", include_in_schema=False)(listed)
    app.get("/v1/models/{id:path}", **documented(refusals=[401, 403, 404]))(single)


def unknown_model(name: str) -> UnknownModel:
    return UnknownModel(f"no model {name!r} here; GET /v1/models lists them", param="model")
