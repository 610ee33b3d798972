"""`reasoning-gateway`: what it refuses before anything starts, and with what next step."""

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cluster import configs, local
from cluster.cli import Exit, main
from cluster.local import check_token, free_port, sign_in
from cluster.state import Home, Run
from cluster.status import running_streams
from tests.fakes.sleeping_run import sleeping_run

Fails = Callable[..., str]
API = ("--api", "http://127.0.0.1:9/v1", "--model", "m")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("REASONING_GATEWAY_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def running(home: Home) -> Iterator[Run]:
    with sleeping_run() as run:
        with home.lock():
            home.record(run)
        yield run


@pytest.fixture
def fails(home: Home, capsys: pytest.CaptureFixture[str]) -> Fails:  # noqa: ARG001
    """Return fails(*arguments), which expects `reasoning-gateway` to exit with 1 and returns its message."""

    def message(*arguments: str) -> str:
        assert main(arguments) is Exit.FAILED
        out, err = capsys.readouterr()
        assert out == ""
        return " ".join(err.split())

    return message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "required: {up,down,status}"),
        (("up", "--model", "m"), "--api and --model go together"),
        (("up", "--api", "http://x/v1"), "--api and --model go together"),
        (("up", "--api-key-env", "KEY"), "--api-key-env goes with --api"),
        (("up", *API, "--config", "x.yaml"), "not allowed with"),
        (("up", "--port", "80"), "'80' is not a port between 1024 and 65535"),
    ],
)
def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_missing_config_is_named(fails: Fails, tmp_path: Path) -> None:
    assert f"{tmp_path}/none.yaml cannot be read" in fails("up", "--config", f"{tmp_path}/none.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "cannot be read"),
        ("model: m\n", "is no Serve config: it has no `applications`"),
        ("applications: [{import_path: 'graph:build', args: {upstream: {num_gpu: 1}}}]", "upstream.num_gpu: Extra"),
        (
            "applications: [{import_path: 'graph:build', args: {upstream: null}}]",
            "set upstream, http_upstreams, or both",
        ),
    ],
)
def test_a_wrong_config_is_refused_with_the_reason(fails: Fails, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    assert message in fails("up", "--config", str(file))


def test_the_path_of_the_route_is_not_part_of_an_api(fails: Fails) -> None:
    message = fails("up", "--api", "http://x/v1/chat/completions", "--model", "m")
    assert message == "Leave /chat/completions out: --api http://x/v1"


def test_a_missing_key_is_named(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCRIPTED_KEY", raising=False)
    assert "export SCRIPTED_KEY=…" in fails("up", *API, "--api-key-env", "SCRIPTED_KEY")


@pytest.mark.parametrize("option", ["--port", "--dashboard-port"])
def test_a_port_in_use_is_named(fails: Fails, option: str) -> None:
    ports = {"--port": free_port(), "--dashboard-port": free_port()}
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        ports[option] = listening.getsockname()[1]
        arguments = [str(one) for pair in ports.items() for one in pair]
        message = fails("up", *API, *arguments)
    assert message == f"Another program listens at port {ports[option]}. Stop it, or choose a port with {option}."


def test_a_ray_without_its_token_is_refused(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "Disabled")
    message = fails("up", *API)
    assert message.startswith("RAY_AUTH_MODE is 'disabled', and without Ray's token every user of this machine")
    assert message.endswith("Unset RAY_AUTH_MODE. If you do mean it, add --without-ray-token.")


@pytest.mark.parametrize("mode", ["", "token"])
def test_one_word_does_not_take_rays_token_away(fails: Fails, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    message = fails("up", *API, "--without-ray-token")
    assert message == "--without-ray-token goes with RAY_AUTH_MODE=disabled. Leave it out, and Ray has its token."


def test_two_words_take_rays_token_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    check_token(without=True)
    assert (sign_in(without_token=True), os.environ["RAY_AUTH_MODE"]) == ("", "disabled")


def test_a_saved_token_is_read_without_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setattr(local, "_ray", lambda: "/no/ray")
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("5ec2e7\n")
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    assert (sign_in(), file.stat().st_mode & 0o777) == ("5ec2e7", 0o600)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another")
    with pytest.raises(FileNotFoundError):
        sign_in()


def test_another_checkout_is_told_what_runs(fails: Fails, home: Home, running: Run) -> None:
    home.record(replace(running, python="/another/python"))
    message = fails("up", *API)
    assert f"A gateway already runs at {running.api}, started from {running.code} with /another/python." in message
    assert "Run `reasoning-gateway down` first" in message


def test_the_embedded_model_that_runs_is_deployed_again(fails: Fails, home: Home, running: Run) -> None:
    home.record(replace(running, python="/another/python"))
    home.config.write_text(configs.dumped(configs.with_qwen("embedded-0.5b")))
    assert fails("up").startswith("model qwen2.5-coder-0.5b-instruct, which runs already A gateway already runs")


def test_a_config_that_is_named_or_names_another_model_is_taken_as_it_is(
    fails: Fails, home: Home, running: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.record(replace(running, python="/another/python"))
    file = tmp_path / "config.yaml"
    file.write_text(configs.dumped(configs.base()))
    assert fails("up", "--config", str(file)).startswith("A gateway already runs")
    file.write_text(configs.dumped(configs.with_qwen("Qwen/Qwen3-0.6B")))
    monkeypatch.setattr(configs, "base_path", lambda: file)
    assert fails("up").startswith("A gateway already runs")


def test_a_gateway_cannot_move_to_another_port(fails: Fails, running: Run) -> None:  # noqa: ARG001
    message = fails("up", *API, "--port", "8001")
    assert "already runs at http://127.0.0.1:8000, and cannot move to http://127.0.0.1:8001" in message
    assert "deploy with --port 8000" in message


def test_status_of_nothing_exits_with_3(home: Home, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    assert main(["status"]) is Exit.NOTHING_RUNS
    assert "nothing is running" in capsys.readouterr().err


def test_down_with_nothing_running_is_done(home: Home, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    assert main(["down"]) is Exit.DONE
    assert "nothing is running" in capsys.readouterr().err


def test_running_streams_are_those_started_and_not_ended() -> None:
    metrics = (
        '# HELP ray_gateway_streams_started_total …\nray_gateway_streams_started_total{model="a"} 5.0\n'
        'ray_gateway_streams_started_total{model="b"} 2.0\nray_gateway_streams_ended_total{model="a"} 3.0\n'
    )
    assert running_streams(metrics) == 4
    assert running_streams("") == 0
    assert running_streams(None) is None
