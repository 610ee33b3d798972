"""Serve's configuration of HAProxy as it is edited: its failures, and the bounds of its clients."""

import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from cluster import haproxy, haproxy_config
from tests.fakes.polling import until
from tests.fakes.proxy import ANSWERS, LATE, Proxy, client_of, connections, is_admitted, proxied, started

linux = pytest.mark.skipif(sys.platform != "linux", reason="Serve's HAProxy runs on Linux only")


@linux
async def test_failures_of_the_proxy_have_openais_error_body(tmp_path: Path) -> None:
    async with proxied(tmp_path) as client:
        answers = {name: await client.post(f"/{name}/v1/responses") for name in ("text", "closed", "silent", "none")}
        nowhere = await client.get("/nowhere")
    for answer in (*answers.values(), nowhere):
        assert answer.headers["content-type"] == "application/json"
        assert sorted(answer.json()["error"]) == ["code", "message", "param", "type"]
    assert {name: (answer.status_code, answer.json()["error"]["type"]) for name, answer in answers.items()} == {
        "text": (503, "overloaded"),
        "closed": (502, "internal_error"),
        "silent": (504, "internal_error"),
        "none": (503, "not_ready"),
    }
    assert [answers[name].headers["retry-after"] for name in ("text", "none")] == ["2", "2"]
    assert (nowhere.status_code, nowhere.json()["error"]["type"]) == (404, "invalid_request_error")


@linux
async def test_no_path_is_unknown_before_serve_knows_an_application(tmp_path: Path) -> None:
    script = haproxy.write_script(haproxy.bundled_binary(), tmp_path)
    proxy = Proxy(tmp_path, script, {}, seconds=30)
    proxy.serve.backend_configs.clear()
    try:
        await proxy.start()
        async with client_of(proxy) as client:
            answer = await client.post("/v1/responses")
    finally:
        await proxy.stop()
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "not_ready")
    assert answer.headers["retry-after"] == "2"


@linux
async def test_answers_of_applications_pass_the_proxy_as_they_are(tmp_path: Path) -> None:
    async with proxied(tmp_path) as client:
        json, other = await client.get("/json"), await client.get("/other")
    assert (json.status_code, json.text) == (503, "{}")
    assert (other.status_code, other.text) == (404, "ours!")


@linux
async def test_nothing_but_the_api_listens_and_only_this_user_has_the_admin_socket(tmp_path: Path) -> None:
    async with started(tmp_path) as proxy:
        listening = [one.laddr for one in psutil.Process(proxy.latest()).net_connections() if one.status == "LISTEN"]
        assert listening == [("127.0.0.1", proxy.port)]
        assert proxy.socket.stat().st_mode & 0o777 == 0o600


@linux
async def test_half_a_head_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haproxy_config, "HEAD_SECONDS", 1)
    async with started(tmp_path) as proxy, connections(proxy, 2) as ((idle, _), (half, writer)):
        writer.write(b"POST /json/v1/responses HTTP/1.1\r\nHost: x\r\n")
        assert await idle.read() == b""
        assert (await half.read()).startswith(b"HTTP/1.1 408 ")


@linux
async def test_an_idle_connection_is_closed_and_one_that_waits_for_its_answer_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(haproxy_config, "IDLE_SECONDS", 1)
    monkeypatch.setitem(ANSWERS, "late", LATE)
    async with started(tmp_path) as proxy, connections(proxy, 1) as ((reader, writer),):
        writer.write(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await reader.readuntil(b"late!")
        rest = await reader.read()
    assert (answer.split(b"\r\n")[0], rest) == (b"HTTP/1.1 200 OK", b"")


@linux
async def test_many_connections_of_one_address_are_refused_and_no_others(tmp_path: Path) -> None:
    async with started(tmp_path, connections_per_address=10) as proxy, client_of(proxy) as client:
        async with connections(proxy, 10):
            told = await client.get("/other")
            async with connections(proxy, 10):
                with suppress(ConnectionError):  # of the connecting itself, or once it is done
                    async with connections(proxy, 1) as ((refused, _),):
                        assert await refused.read() == b""
                async with client_of(proxy, "127.0.0.2") as other:
                    admitted = await other.get("/other")
        await until(lambda: is_admitted(client))
    assert (told.status_code, told.headers["retry-after"]) == (429, "2")
    assert told.json()["error"]["type"] == "rate_limit_exceeded"
    assert (admitted.status_code, admitted.text) == (404, "ours!")
