"""The control door: the logs, and changes behind the panel's back."""

from typing import Any

import pytest

from tests.cloud.sandbox.conftest import Provider


def test_commit_log_tells_who_did_what_and_nothing_of_refusals_and_reads(provider: Provider) -> None:
    uuid = provider.machine()
    headers = {"x-request-id": "req-1"}
    answer = provider.call("POST", f"/instances/{uuid}/reboot", headers=headers)
    provider.call("POST", f"/instances/{uuid}/reboot", status=409)
    provider.call("GET", "/instances")
    assert provider.commits() == [
        {
            "seq": 1,
            "at": "2026-05-28T20:26:40Z",
            "endpoint": "reboot",
            "method": "POST",
            "path": f"/api/v1/instances/{uuid}/reboot",
            "target": uuid,
            "params": {},
            "request_id": "req-1",
            "task_id": answer["task_id"],
        }
    ]
    assert provider.control("GET", "commits?since=1") == {"commits": [], "last": 1}


def test_every_kind_of_write_is_in_the_log(provider: Provider) -> None:
    uuid = provider.machine(team_id=None, schedule=None)
    base = f"/instances/{uuid}"
    provider.call("PUT", f"{base}/rename", {"name": "abc"})
    provider.call("POST", f"{base}/ips")
    provider.call("PUT", f"{base}/firewall", {"enable": True})
    provider.call("POST", f"{base}/firewall/rules", {"type": "in", "action": "DROP"})
    provider.call("DELETE", f"{base}/firewall/rules/0")
    provider.call("POST", f"{base}/backup-schedule", {})
    provider.call("DELETE", f"{base}/backup-schedule")
    provider.call("DELETE", base)
    names = [each["endpoint"] for each in provider.commits()]
    assert names == [
        "rename_instance", "assign_ip", "set_firewall", "add_firewall_rule", "delete_firewall_rule",
        "set_backup_schedule", "delete_backup_schedule", "delete_instance",
    ]  # fmt: skip


def test_request_log_counts_every_call_with_agent_and_status(provider: Provider) -> None:
    provider.call("GET", "/tasks?limit=5")
    provider.call("GET", "/health", key=None, status=401)
    log = provider.control("GET", "requests")
    assert log["last"] == 2
    first, second = log["requests"]
    assert (first["endpoint"], first["query"], first["status"]) == ("list_tasks", "limit=5", 200)
    assert (second["status"], second["user_agent"]) == (401, "tidepool-tests")
    assert first["seconds"] >= 0
    assert [each["seq"] for each in provider.control("GET", "requests?since=1")["requests"]] == [2]


@pytest.mark.parametrize(
    "value", [None, "unknown", "RUNNING ", "<script>alert(1)</script>", "", 42, ["x"], "\u202e\x00"]
)
def test_any_field_can_be_shown_as_anything(plain: Provider, value: Any) -> None:
    uuid = plain.machine()
    change = {"do": "set", "id": uuid, "fields": {"power_status": value, "name": value, "new_field": value}}
    plain.control("POST", "world", change)
    row = next(each for each in plain.call("GET", "/instances") if each["uuid"] == uuid)
    assert row == plain.call("GET", f"/instances/{uuid}")
    assert (row["power_status"], row["name"], row["new_field"]) == (value, value, value)
    plain.control("POST", "world", {"do": "set", "id": uuid, "unset": ["power_status", "name", "new_field"]})
    assert plain.call("GET", f"/instances/{uuid}")["power_status"] == "running"


def test_list_and_detail_can_be_made_to_disagree(plain: Provider) -> None:
    uuid = plain.machine()
    change = {"do": "set", "id": uuid, "fields": {"power_status": "paused"}, "where": "detail"}
    plain.control("POST", "world", change)
    row = next(each for each in plain.call("GET", "/instances") if each["uuid"] == uuid)
    assert plain.call("GET", f"/instances/{uuid}")["power_status"] == "paused"
    assert row["power_status"] != "running", "a real state becomes the truth"
    plain.control("POST", "world", {"do": "set", "id": uuid, "fields": {"power_status": "running"}, "where": "list"})
    row = next(each for each in plain.call("GET", "/instances") if each["uuid"] == uuid)
    assert (row["power_status"], plain.call("GET", f"/instances/{uuid}")["power_status"]) == ("running", "paused")


def test_real_power_state_becomes_the_truth_until_the_next_action(plain: Provider) -> None:
    uuid = plain.machine()
    plain.control("POST", "world", {"do": "set", "id": uuid, "fields": {"power_status": "stopped"}})
    plain.call("POST", f"/instances/{uuid}/shutdown", status=400)
    plain.call("POST", f"/instances/{uuid}/power-on")
    plain.wait(60)
    assert plain.call("GET", f"/instances/{uuid}")["power_status"] == "running"


def test_machines_vanish_and_appear(provider: Provider) -> None:
    removed = provider.control("POST", "world", {"do": "vanish", "share": 0.5})["removed"]
    assert len(removed) == 12
    added = provider.control("POST", "world", {"do": "add", "name": "made-outside", "count": 2})["added"]
    rows = provider.call("GET", "/instances")
    assert len(rows) == 14
    assert [row["uuid"] for row in rows[-2:]] == added
    provider.control("POST", "world", {"do": "remove", "id": added[0]})
    provider.control("POST", "world", {"do": "remove", "id": added[0]}, status=404)
    assert provider.commits() == [], "nobody called the API"


def test_several_actions_go_in_one_call_and_nonsense_is_refused(provider: Provider) -> None:
    actions = [{"do": "add"}, {"do": "capacity", "instance_type": "v1_cpu_medium", "available": False}]
    assert len(provider.control("POST", "world", {"actions": actions})["results"]) == 2
    nonsense: list[Any] = [{"do": "explode"}, {"do": "remove"}, [], {"do": "set", "id": "x", "field": {}}]
    for bad in nonsense:
        provider.control("POST", "world", bad, status=400)


def test_capacity_goes_back_to_chance(provider: Provider) -> None:
    key = {"do": "capacity", "instance_type": "v1_cpu_medium", "region": "phl"}
    provider.control("POST", "world", key | {"available": False})
    assert provider.control("GET", "state")["capacity"]["v1_cpu_medium"] == ["igl"]
    provider.control("POST", "world", key)
    assert provider.control("GET", "state")["capacity"]["v1_cpu_medium"] == ["igl", "phl"]


def test_state_shows_the_truth(provider: Provider) -> None:
    uuid = provider.launch()["vm_uuid"]
    state = provider.control("GET", "state")
    assert (state["instances"], state["creating"], state["speed"], state["last_commit"]) == (25, [uuid], 1.0, 1)
    assert [each["operation"] for each in state["open_tasks"]] == ["create_instance"]
    assert provider.control("GET", f"state?instance={uuid}")["creating"] is True
    assert provider.control("GET", "state?instance=none") is None


def test_reset_begins_anew(provider: Provider) -> None:
    before = provider.call("GET", "/instances")
    provider.launch()
    provider.quirk(region_names=False)
    assert provider.control("POST", "reset", {"machines": 3, "seed": 9}) == {"machines": 3, "seed": 9}
    assert provider.commits() == []
    assert provider.control("GET", "state")["quirks"]["region_names"] is True
    provider.control("POST", "reset", {"seed": 7})
    assert provider.call("GET", "/instances") == before


@pytest.mark.parametrize("speed", [0, -1, "fast"])
def test_speed_must_be_a_positive_number(provider: Provider, speed: Any) -> None:
    provider.control("POST", "speed", {"speed": speed}, status=400)
