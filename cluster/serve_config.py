"""A Serve config that `up` is to deploy: read, checked before anything starts, and what it needs on this machine.

Knows nothing of Ray; Serve itself checks the rest when the config is deployed.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import ValidationError

from cluster import configs
from cluster.state import CommandError
from gateway.config import GatewaySettings
from gateway.errors import ModelUnavailable

GATEWAY = "graph:build"
"""`import_path` of the applications whose `args` are GatewaySettings."""
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
"""Addresses at which this machine reaches a server that listens at all of its own."""


class ServeConfig:
    """`content` is the config as Serve takes it; `source` is the file or the API that the user has named."""

    def __init__(self, content: dict[str, Any], source: str) -> None:
        self.content, self.source = content, source
        self.settings = [_settings(application, source) for application in self._gateways()]

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Raises CommandError if the file cannot be read, is no Serve config, or has settings that are wrong."""
        try:
            content = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from None
        match content:
            case {"applications": [{"import_path": str()}, *_]}:
                return cls(content, str(path.absolute()))
        raise CommandError(f"{path} is no Serve config: it has no `applications`. {configs.base_path()} is one.")

    @classmethod
    def with_qwen(cls, model: str) -> Self:
        """Return serve_config.yaml with another Qwen; `model` is as in `upstream.model`."""
        return cls(configs.with_qwen(model), str(configs.base_path().absolute()))

    @classmethod
    def in_front_of(cls, url: str, models: Sequence[str], api_key_env: str | None) -> Self:
        """Raises CommandError if there can be no API at `url`."""
        url = url.rstrip("/")
        if url.endswith("/chat/completions"):
            raise CommandError(f"Leave /chat/completions out: --api {url.removesuffix('/chat/completions')}")
        return cls(configs.in_front_of(url, models, api_key_env), url)

    def listen_at(self, port: int) -> None:
        """Have the API listen at `port` instead of the config's own."""
        self.content["http_options"] = {**self._http(), "port": port}

    @property
    def api(self) -> str:
        """The address of the API, as "http://127.0.0.1:8000"."""
        http = self._http()
        return f"http://{LOOPBACK.get(http['host'], http['host'])}:{http['port']}"

    @property
    def port(self) -> int:
        return int(self._http()["port"])

    @property
    def health_urls(self) -> list[str]:
        """The addresses that answer 200 once a gateway is ready to take requests, one for each gateway."""
        prefixes = [one.get("route_prefix", "/").rstrip("/") for one in self._gateways()]
        return [f"{self.api}{prefix}/health" for prefix in prefixes]

    @property
    def applications(self) -> list[str]:
        return [application.get("name", "default") for application in self.content["applications"]]

    @property
    def models(self) -> list[str]:
        """The names of the models that requests may ask for."""
        return [name for settings in self.settings for name in settings.models]

    @property
    def qwens(self) -> list[str]:
        """The sources of the models that answer requests on this machine."""
        return [settings.upstream.model for settings in self.settings if settings.upstream]

    def check_environment(self) -> None:
        """Raise CommandError if the environment lacks the key of an API: replicas inherit it from here."""
        for api in (api for settings in self.settings for api in settings.http_upstreams):
            if api.api_key_env and not os.environ.get(api.api_key_env):
                raise CommandError(
                    f"The key of {api.url} is expected in the environment variable {api.api_key_env}, which is not "
                    f"set. Set it first: export {api.api_key_env}=…"
                )

    def fetch_models(self) -> None:
        """Fetch the models that run on this machine, with progress on stderr; those that are here cost nothing.

        Raises CommandError, with what to do next.
        """
        from engine.model_files import model_folder  # needs what a gateway in front of an API does not

        for settings in self.settings:
            for own in filter(None, [settings.upstream, settings.summarizer.own]):
                try:
                    model_folder(own.model)
                except ModelUnavailable as error:
                    raise CommandError(str(error)) from error

    def _gateways(self) -> list[dict[str, Any]]:
        return [one for one in self.content["applications"] if one.get("import_path") == GATEWAY]

    def _http(self) -> dict[str, Any]:
        return configs.DEFAULT_HTTP | (self.content.get("http_options") or {})


def _settings(application: dict[str, Any], source: str) -> GatewaySettings:
    try:
        return GatewaySettings.model_validate(application.get("args") or {})
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, one['loc'])) or 'args'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        ]
        raise CommandError("\n".join([f"{source} has settings that are wrong:", *lines])) from None
