"""Faults that need no real connection: matching, and answers that are wrong, late or never."""

import json
from typing import Any

import pytest

from cloud.sandbox.playing import CutOffError
from tests.cloud.sandbox.conftest import SSH_KEY, Provider


def play(provider: Provider, **rule: Any) -> None:
    provider.control("POST", "faults", {"rules": [rule], "replace": True})


def shutdown(provider: Provider) -> Any:
    return provider.send("POST", f"/api/v1/instances/{provider.machine()}/shutdown")


@pytest.mark.parametrize(("when", "effects"), [("before_commit", 0), ("after_commit", 1)])
@pytest.mark.parametrize("kind", ["status", "html", "garbage", "empty", "wrong_type", "huge", "deep"])
def test_wrong_answer_with_and_without_the_effect(provider: Provider, kind: str, when: str, effects: int) -> None:
    play(provider, kind=kind, when=when, megabytes=0.1)
    response = shutdown(provider)
    with pytest.raises((ValueError, RecursionError, AssertionError)):
        assert "task_id" in dict(json.loads(response.content))
    assert len(provider.commits()) == effects


def test_wrong_answers_look_as_they_should(provider: Provider) -> None:
    play(provider, kind="huge", megabytes=3)
    assert len(shutdown(provider).content) > 3_000_000
    play(provider, kind="empty")
    assert (shutdown(provider).status_code, shutdown(provider).content) == (200, b"")
    play(provider, kind="html", status=504)
    response = shutdown(provider)
    assert (response.status_code, response.headers["content-type"]) == (504, "text/html; charset=utf-8")
    play(provider, kind="deep", depth=50)
    assert shutdown(provider).content == b"[" * 50 + b"]" * 50


def test_status_carries_code_body_type_and_headers(provider: Provider) -> None:
    play(provider, kind="status", status=429, body={"error": "slow"}, headers={"Retry-After": "9999"})
    response = shutdown(provider)
    assert (response.status_code, response.json(), response.headers["retry-after"]) == (429, {"error": "slow"}, "9999")
    play(provider, kind="status", status=401, body="plain words", content_type="text/plain")
    assert (shutdown(provider).text, shutdown(provider).headers["content-type"]) == ("plain words", "text/plain")


def test_truncated_is_the_true_answer_in_part(provider: Provider) -> None:
    whole = provider.send("GET", "/api/v1/instances").content
    play(provider, kind="truncated", when="after_commit", share=0.25)
    assert provider.send("GET", "/api/v1/instances").content == whole[: len(whole) // 4]


def test_latency_lets_the_effect_come_late(provider: Provider) -> None:
    play(provider, kind="latency", seconds=0.01)
    assert shutdown(provider).status_code == 200
    assert len(provider.commits()) == 1


@pytest.mark.parametrize("kind", ["reset", "cut", "trickle", "hang"])
@pytest.mark.parametrize("when", ["before_commit", "after_commit", "during_answer"])
def test_a_broken_connection_raises_where_there_is_none(provider: Provider, kind: str, when: str) -> None:
    play(provider, kind=kind, when=when, seconds=0.001)
    with pytest.raises(CutOffError):
        shutdown(provider)
    assert len(provider.commits()) == (0 if when == "before_commit" else 1)
    entry = provider.control("GET", "requests")["requests"][-1]
    assert (entry["fault"], entry["status"]) == (kind, None)


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ({}, True),
        ({"endpoint": "shutdown"}, True),
        ({"endpoint": ["reboot", "shutdown"]}, True),
        ({"endpoint": "reboot"}, False),
        ({"method": ["GET"]}, False),
        ({"method": "POST", "path_prefix": "/instances/"}, True),
        ({"path_prefix": "/backups"}, False),
        ({"probability": 0.0}, False),
        ({"skip": 1}, False),
        ({"times": 0}, False),
    ],
)
def test_rule_matches_by_what_is_given(provider: Provider, rule: dict[str, Any], hit: bool) -> None:
    play(provider, kind="status", status=503, **rule)
    assert (shutdown(provider).status_code == 503) is hit


def test_rule_plays_so_often_after_so_many(provider: Provider) -> None:
    play(provider, kind="status", status=500, skip=1, times=2)
    codes = [provider.send("GET", "/api/v1/health").status_code for _ in range(5)]
    assert codes == [200, 500, 500, 200, 200]
    assert provider.control("GET", "faults")["rules"][0]["played"] == 2


def test_dice_fall_the_same_way_for_the_same_seed(provider: Provider) -> None:
    runs = []
    for _ in range(2):
        rule = {"kind": "status", "probability": 0.5}
        provider.control("POST", "faults", {"rules": [rule], "replace": True, "seed": 3})
        runs.append([provider.send("GET", "/api/v1/health").status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_faults_are_cleared_one_by_one_or_all(provider: Provider) -> None:
    ids = provider.control("POST", "faults", {"rules": [{"kind": "empty"}, {"kind": "html"}]})["ids"]
    assert [each["id"] for each in provider.control("DELETE", f"faults?id={ids[0]}")["rules"]] == [ids[1]]
    assert provider.control("DELETE", "faults") == {"rules": []}


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "explode"},
        {},
        {"kind": "empty", "often": 3},
        {"kind": "empty", "when": "x"},
        {"kind": "status", "status": 99},
        {"kind": "cut", "share": 2},
    ],
)
def test_rule_that_is_not_understood_is_refused(provider: Provider, rule: dict[str, Any]) -> None:
    assert provider.control("POST", "faults", {"rules": [rule]}, status=400)["error"] == "bad_request"


def test_wrong_key_does_not_use_a_fault_up(provider: Provider) -> None:
    play(provider, kind="empty", times=1)
    provider.call("GET", "/health", key="wrong", status=401)
    assert provider.send("GET", "/api/v1/health").content == b""


def test_a_rule_can_be_for_the_launch_of_one_name(provider: Provider) -> None:
    play(provider, kind="status", name="unlucky")
    body = {"region": "igl", "instance_type": "v1_cpu_medium", "ssh_key": SSH_KEY}
    answers = [
        provider.send("POST", "/api/v1/instances/launch-instance", json=body | {"name": name}).status_code
        for name in ("lucky", "unlucky")
    ]
    assert answers == [200, 500]
    names = [call["name"] for call in provider.control("GET", "requests")["requests"]]
    assert names[-2:] == ["lucky", "unlucky"]
