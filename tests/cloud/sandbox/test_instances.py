"""Reading, renaming and deleting machines, the console, the stats, the history, the catalogue."""

from typing import Any

import pytest

from cloud.sandbox.app import endpoints
from tests.cloud.sandbox.conftest import Provider

DOCUMENTED = {
    "uuid", "name", "ip_address", "cpu_cores", "memory", "storage", "gpu_count", "gpu_model", "power_status", "region",
    "created_at",
}  # fmt: skip
SEEN = {
    "host_id", "internal_ip", "metadata", "instance_type", "price_cents_per_hour", "team_id", "team_name",
    "access_type", "template_name", "template_display_name", "os_type", "vm_username",
}  # fmt: skip

# The 41 endpoints as the public documentation has them: name, method, path.
TABLE = """
health GET /health
list_instances GET /instances
list_templates GET /instances/templates
list_available GET /instances/available
launch_instance POST /instances/launch-instance
launch_custom POST /instances/launch-custom
get_instance GET /instances/{id}
delete_instance DELETE /instances/{id}
rename_instance PUT /instances/{id}/rename
instance_stats GET /instances/{id}/stats
vnc_ticket POST /instances/{id}/vnc-proxy
instance_history POST /instances/logs
power_on POST /instances/{id}/power-on
shutdown POST /instances/{id}/shutdown
power_off POST /instances/{id}/power-off
reboot POST /instances/{id}/reboot
power_cycle POST /instances/{id}/power-cycle
create_backup POST /instances/{id}/backups
list_backups GET /instances/{id}/backups
restore_backup POST /instances/{id}/restore
list_all_backups GET /backups
delete_backup DELETE /backups
cross_restore POST /backups/restore
backup_storage GET /backups/storage
update_backup_notes PUT /backups/notes
get_backup_schedule GET /instances/{id}/backup-schedule
set_backup_schedule POST /instances/{id}/backup-schedule
delete_backup_schedule DELETE /instances/{id}/backup-schedule
list_ips GET /instances/{id}/ips
assign_ip POST /instances/{id}/ips
release_ip DELETE /instances/{id}/ips/{ip}
get_firewall GET /instances/{id}/firewall
set_firewall PUT /instances/{id}/firewall
add_firewall_rule POST /instances/{id}/firewall/rules
get_firewall_rule GET /instances/{id}/firewall/rules/{pos}
delete_firewall_rule DELETE /instances/{id}/firewall/rules/{pos}
assign_team POST /instances/{id}/team
remove_team DELETE /instances/{id}/team
list_team_instances GET /teams/{team_id}/instances
list_tasks GET /tasks
get_task GET /tasks/{id}
"""


def test_endpoints_are_those_of_the_documentation() -> None:
    assert {" ".join(row) for row in endpoints()} == set(TABLE.strip().splitlines())


def test_41_endpoints_are_published_without_a_key_and_without_the_control_door(provider: Provider) -> None:
    document = provider.call("GET", "/openapi.json", key=None)
    published = {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}
    assert published == {(method, path) for _, method, path in endpoints()}
    assert len(published) == 41
    assert document["servers"] == [{"url": "/api/v1"}]


@pytest.mark.parametrize("key", [None, "wrong"])
def test_every_endpoint_asks_for_the_key(provider: Provider, key: str | None) -> None:
    for _, method, path in endpoints():
        answer = provider.call(method, path, key=key, status=401)
        assert answer == {"error": "unauthorized", "message": "Invalid or missing API key"}
    assert provider.commits() == []


def test_health_tells_the_time(provider: Provider) -> None:
    assert provider.call("GET", "/health") == {"status": "healthy", "timestamp": "2026-05-28T20:26:40Z"}


def test_list_is_a_bare_array_with_documented_and_seen_fields(provider: Provider) -> None:
    rows = provider.call("GET", "/instances")
    assert len(rows) == 24
    assert all(set(row) == DOCUMENTED | SEEN for row in rows)
    assert len({row["name"] for row in rows}) == len({row["uuid"] for row in rows}) == 24
    assert all(row["ip_address"].startswith(("198.51.100.", "203.0.113.")) for row in rows)


def test_first_machines_are_varied(provider: Provider) -> None:
    machines = list(provider.sandbox.world.instances.values())
    assert {"running", "stopped"} <= {each.power for each in machines}
    assert len({each.instance_type for each in machines}) > 4
    for part in ("backups", "schedule", "team_id"):
        assert 0 < sum(bool(getattr(each, part)) for each in machines) < 24, part
    assert any(each.firewall.rules for each in machines)
    assert any(len(each.addresses) > 1 for each in machines)


def test_detail_gives_one_machine(plain: Provider) -> None:
    rows = plain.call("GET", "/instances")
    assert plain.call("GET", f"/instances/{rows[3]['uuid']}") == rows[3]


def test_unknown_machine_is_404_everywhere(provider: Provider) -> None:
    bodies: dict[str, Any] = {
        "rename_instance": {"name": "abc"},
        "restore_backup": {"backup_volid": "x"},
        "set_backup_schedule": {},
        "set_firewall": {},
        "add_firewall_rule": {"type": "in", "action": "DROP"},
        "assign_team": {"team_id": "x"},
    }
    for name, method, path in endpoints():
        if "/instances/{id}" in path:
            full = path.replace("{id}", "vm-none").replace("{pos}", "0").replace("{ip}", "192.0.2.1")
            assert provider.call(method, full, bodies.get(name), status=404)["error"] == "not_found", name


def test_rename_changes_the_name_at_once(provider: Provider) -> None:
    uuid = provider.machine()
    answer = provider.call("PUT", f"/instances/{uuid}/rename", {"name": "my_new-name"})
    assert answer == {"message": "Instance renamed successfully", "instance_id": uuid, "new_name": "my_new-name"}
    assert "my_new-name" in {row["name"] for row in provider.call("GET", "/instances")}


@pytest.mark.parametrize("name", ["ab", "a" * 65, "with space", "dot.dot", "ünïcode", "line\n", ""])
def test_rename_refuses_other_characters(provider: Provider, name: str) -> None:
    answer = provider.call("PUT", f"/instances/{provider.machine()}/rename", {"name": name}, status=400)
    assert answer["errors"][0]["field"] == "name"
    assert provider.commits() == []


def test_body_of_wrong_type_gets_the_frameworks_own_422(provider: Provider) -> None:
    answer = provider.call("PUT", f"/instances/{provider.machine()}/rename", {"name": 3}, status=422)
    assert answer["detail"][0]["loc"] == ["body", "name"]


def test_deleted_machine_is_gone_when_the_task_is_done(provider: Provider) -> None:
    uuid = provider.machine()
    ip = provider.sandbox.world.instances[uuid].addresses[0].ip_address
    answer = provider.call("DELETE", f"/instances/{uuid}")
    assert (answer["status"], answer["message"]) == ("PENDING", "Instance deletion queued")
    provider.call("GET", f"/instances/{uuid}")
    provider.wait(30)
    provider.call("GET", f"/instances/{uuid}", status=404)
    assert provider.call("GET", f"/tasks/{answer['task_id']}")["status"] == "COMPLETED"
    assert provider.launch()["assigned_ip"] == ip, "freed addresses are given out again at once"


def test_stats_move_smoothly_and_are_the_same_for_the_same_moment(provider: Provider) -> None:
    path = f"/instances/{provider.machine()}/stats"
    first = provider.call("GET", path)
    assert first == provider.call("GET", path)
    provider.wait(1)
    second = provider.call("GET", path)
    assert second != first
    assert abs(second["cpu"]["usage_percent"] - first["cpu"]["usage_percent"]) < 5
    assert second["uptime_seconds"] == first["uptime_seconds"] + 1
    assert 0 < first["memory"]["used_bytes"] < first["memory"]["total_bytes"]


def test_stats_of_a_stopped_machine_are_zero(provider: Provider) -> None:
    answer = provider.call("GET", f"/instances/{provider.machine('stopped')}/stats")
    assert (answer["status"], answer["uptime_seconds"], answer["cpu"]["usage_percent"]) == ("stopped", 0, 0)
    assert answer["network"] == {"in_bytes_sec": 0, "out_bytes_sec": 0}


def test_console_gives_a_ticket_only_while_running(provider: Provider) -> None:
    uuid = provider.machine()
    ticket = provider.call("POST", f"/instances/{uuid}/vnc-proxy")
    assert ticket["instance_id"] == uuid
    assert ticket["ticket"].startswith("PVEVNC:")
    assert ticket["host"].endswith(".bluelobster.ai")
    assert 5900 <= ticket["port"] < 6000
    stopped = provider.call("POST", f"/instances/{provider.machine('stopped')}/vnc-proxy", status=400)
    assert stopped["detail"]["error"] == "invalid_state"


def test_history_can_be_narrowed_and_keeps_deleted_machines(provider: Provider) -> None:
    uuid = provider.machine()
    provider.call("PUT", f"/instances/{uuid}/rename", {"name": "renamed"})
    provider.call("DELETE", f"/instances/{uuid}")
    provider.wait(60)
    logs = provider.call("POST", "/instances/logs", {"instance_id": uuid})
    assert [each["event"] for each in logs["logs"]] == ["deleted", "renamed", "created"]
    assert logs["total"] == 3
    window = {"start_time": "2026-05-28T20:00:00Z", "end_time": "2026-05-28T20:26:50+00:00"}
    assert [each["event"] for each in provider.call("POST", "/instances/logs", window)["logs"]] == ["renamed"]
    provider.call("POST", "/instances/logs", {"instance_id": "vm-none"}, status=404)
    provider.call("POST", "/instances/logs", {"start_time": "yesterday"}, status=422)


def test_catalogue_has_19_types_and_10_templates(provider: Provider) -> None:
    types = {row["id"]: row["instance_type"] for row in provider.call("GET", "/instances/available")["data"]}
    assert len(types) == 19
    assert {name: types[name]["price_cents_per_hour"] for name in ("v1_cpu_medium", "v1_gpu_1x_a6000")} == {
        "v1_cpu_medium": 6,
        "v1_gpu_1x_a6000": 55,
    }
    assert types["v1_gpu_1x_a4000"]["specs"] | {"gpu_model": ""} == {
        "vcpus": 8, "memory_gib": 32, "storage_gib": 250, "gpus": 1, "gpu_model": "",
    }  # fmt: skip
    templates = provider.call("GET", "/instances/templates")
    assert templates["total"] == len(templates["templates"]) == 10
    assert set(templates["templates"][0]) == {"name", "vmid", "display_name", "os_type", "has_nvidia"}


def test_regions_with_room_say_where_they_are(plain: Provider) -> None:
    row = plain.call("GET", "/instances/available")["data"][0]
    assert [each["name"] for each in row["regions_with_capacity_available"]] == ["igl", "phl"]
    assert row["regions_with_capacity_available"][0]["location"] == {
        "city": "Wilmington",
        "state": "Delaware",
        "country": "USA",
    }
