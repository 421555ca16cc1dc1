"""Power actions and the tasks they start."""

import pytest

from tests.cloud.sandbox.conftest import Provider


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("power-on", "stopped", "running"),
        ("shutdown", "running", "stopped"),
        ("power-off", "running", "stopped"),
        ("reboot", "running", "running"),
        ("power-cycle", "running", "running"),
    ],
)
def test_power_action_runs_through_its_states(plain: Provider, action: str, before: str, after: str) -> None:
    uuid = plain.machine(before)
    answer = plain.call("POST", f"/instances/{uuid}/{action}")
    assert set(answer) == {"task_id", "status", "message", "instance_id"}
    seen: list[str] = []
    for _ in range(35):
        state = plain.call("GET", f"/tasks/{answer['task_id']}")["status"]
        seen += [] if seen[-1:] == [state] else [state]
        plain.wait(1)
    assert seen == ["PENDING", "PROCESSING", "COMPLETED"]
    assert plain.call("GET", f"/instances/{uuid}")["power_status"] == after
    assert plain.call("GET", f"/instances/{uuid}/stats")["uptime_seconds"] < 40


@pytest.mark.parametrize(
    ("action", "power"),
    [("power-on", "running"), ("shutdown", "stopped"), ("power-off", "stopped"), ("reboot", "stopped"),
     ("power-cycle", "stopped")],
)  # fmt: skip
def test_wrong_power_state_is_refused(provider: Provider, action: str, power: str) -> None:
    answer = provider.call("POST", f"/instances/{provider.machine(power)}/{action}", status=400)
    assert answer["detail"]["error"] == "invalid_state"


def test_second_task_on_a_machine_is_busy(provider: Provider) -> None:
    uuid = provider.machine()
    provider.call("POST", f"/instances/{uuid}/reboot")
    for method, path in (("POST", "/shutdown"), ("DELETE", ""), ("POST", "/backups")):
        assert provider.call(method, f"/instances/{uuid}{path}", status=409)["detail"]["error"] == "busy"
    provider.wait(60)
    provider.call("POST", f"/instances/{uuid}/shutdown")


def test_task_list_is_newest_first_and_limited(provider: Provider) -> None:
    for number in range(5):
        provider.control("POST", "world", {"do": "add_task", "operation": "reboot", "age_s": number * 3600})
    provider.control("POST", "world", {"do": "add_task", "operation": "reboot", "age_s": 2 * 86400, "status": "FAILED"})
    answer = provider.call("GET", "/tasks?limit=3")
    assert (answer["total"], answer["limit"], len(answer["tasks"])) == (5, 3, 3)
    moments = [each["created_at"] for each in answer["tasks"]]
    assert moments == sorted(moments, reverse=True)
    assert provider.call("GET", "/tasks?days=7")["total"] == 6
    assert provider.call("GET", "/tasks?days=7&status=FAILED")["total"] == 1
    assert provider.call("GET", "/tasks")["limit"] == 50


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "days=0", "days=8", "status=DONE"])
def test_task_list_refuses_other_windows(provider: Provider, query: str) -> None:
    assert provider.call("GET", f"/tasks?{query}", status=400)["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def test_unknown_task_is_404(provider: Provider) -> None:
    provider.call("GET", "/tasks/task_none", status=404)


def test_frozen_tasks_stay_pending_and_go_on_when_freed(provider: Provider) -> None:
    uuid = provider.machine()
    provider.control("POST", "world", {"do": "freeze_tasks"})
    task_id = provider.call("POST", f"/instances/{uuid}/reboot")["task_id"]
    provider.wait(86400)
    assert provider.call("GET", f"/tasks/{task_id}")["status"] == "PENDING"
    provider.control("POST", "world", {"do": "freeze_tasks", "on": False})
    provider.wait(60)
    assert provider.call("GET", f"/tasks/{task_id}")["status"] == "COMPLETED"


def test_stuck_cancelled_forgotten_and_foreign_tasks(provider: Provider) -> None:
    provider.control("POST", "world", {"do": "next_task", "stays": "PROCESSING"})
    provider.control("POST", "world", {"do": "next_task", "status": "CANCELLED"})
    stuck = provider.launch(name="one-1")["task_id"]
    cancelled = provider.launch(name="two-2")["task_id"]
    provider.wait(1000)
    assert provider.call("GET", f"/tasks/{stuck}")["status"] == "PROCESSING"
    assert provider.call("GET", f"/tasks/{cancelled}")["status"] == "CANCELLED"
    provider.control("POST", "world", {"do": "set_task", "task_id": stuck, "fields": {"operation": "reboot"}})
    assert provider.call("GET", f"/tasks/{stuck}")["operation"] == "reboot"
    provider.control("POST", "world", {"do": "remove_task", "task_id": stuck})
    provider.call("GET", f"/tasks/{stuck}", status=404)


def test_task_of_a_machine_that_vanished_fails(provider: Provider) -> None:
    uuid = provider.machine()
    task_id = provider.call("POST", f"/instances/{uuid}/reboot")["task_id"]
    provider.control("POST", "world", {"do": "remove", "id": uuid})
    provider.wait(60)
    assert provider.call("GET", f"/tasks/{task_id}")["status"] == "FAILED"
