"""Serve over the REST API of Ray's dashboard: deploy a config, and read what has become of it.

Knows nothing of processes.
"""

from typing import Any

import httpx

from cluster.state import CommandError

TIMEOUT_SECONDS, DEPLOY_SECONDS = 5, 60
PATH = "/api/serve/applications/"


class ServeApi:
    """`dashboard` is its address, `token` Ray's own, or "" if Ray was started without."""

    def __init__(self, dashboard: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=dashboard, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)

    def deploy(self, config: dict[str, Any], seconds: float = DEPLOY_SECONDS) -> None:
        """Replace what is deployed; returns before it is ready. Raises CommandError if Serve refuses the config."""
        try:
            answer = self._http.put(PATH, json=config, timeout=seconds)
        except httpx.HTTPError as error:
            raise CommandError(f"Ray's dashboard does not answer at {self._http.base_url}: {error}") from None
        if answer.is_error:
            raise CommandError(f"Serve refused the config:\n{answer.text}")

    def applications(self) -> dict[str, dict[str, Any]] | None:
        """Return Serve's applications by name, or None if the dashboard does not answer."""
        try:
            answer = self._http.get(PATH)
            answer.raise_for_status()
        except httpx.HTTPError:
            return None
        applications: dict[str, dict[str, Any]] = answer.json()["applications"]
        return applications


def healthy(url: str) -> bool:
    """Return True if a GET of `url` is answered with 200."""
    try:
        return httpx.get(url, timeout=TIMEOUT_SECONDS, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
