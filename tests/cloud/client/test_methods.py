"""Every row of the table has one method that sends what is documented."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from cloud.client import Client
from cloud.endpoints import Endpoints
from tests.cloud.client.conftest import BASE, KEY, Provider

VOLID = "wil-pbs-01:backup/vm/100/2024-01-15T10:30:00Z"
VOLID_SENT = "wil-pbs-01%3Abackup%2Fvm%2F100%2F2024-01-15T10%3A30%3A00Z"
PLAIN = {"region": "igl", "instance_type": "v1_gpu", "ssh_key": "ssh-ed25519 AAAA"}
LISTS: dict[str, Any] = {
    "data": [],
    "instances": [],
    "templates": [],
    "backups": [],
    "ips": [],
    "tasks": [],
    "logs": [],
}
# Some known field of every shape, so that each answer can be read.
ANSWER = LISTS | {"status": "ok", "uuid": "vm-1", "frequency": "daily", "enabled": True, "pos": 0, "total_bytes": 1,
                  "instance_id": "vm-1", "task_id": "t"}  # fmt: skip

Row = tuple[str, Callable[[Client], Any], str, dict[str, Any] | None]
ROWS: list[Row] = [
    ("health", lambda c: c.health(), "GET /health", None),
    ("list_instances", lambda c: c.list_instances(), "GET /instances", None),
    ("list_templates", lambda c: c.list_templates(), "GET /instances/templates", None),
    ("list_available", lambda c: c.list_available(), "GET /instances/available", None),
    ("launch_instance", lambda c: c.launch_instance(region="igl", instance_type="v1_gpu", ssh_key="ssh-ed25519 AAAA\n"),
     "POST /instances/launch-instance", PLAIN),
    ("launch_custom", lambda c: c.launch_custom(region="igl", vcpus=16, memory_gib=64, storage_gib=500, gpu_count=2,
                                                gpu_model="A4000", ssh_key="ssh-rsa A", name="ml-1"),
     "POST /instances/launch-custom", {"region": "igl", "vcpus": 16, "memory_gib": 64, "storage_gib": 500,
                                       "gpu_count": 2, "gpu_model": "A4000", "ssh_key": "ssh-rsa A", "name": "ml-1"}),
    ("get_instance", lambda c: c.get_instance("vm-abc123"), "GET /instances/vm-abc123", None),
    ("delete_instance", lambda c: c.delete_instance("a/b%"), "DELETE /instances/a%2Fb%25", None),
    ("rename_instance", lambda c: c.rename_instance("vm-1", "my_name-2"), "PUT /instances/vm-1/rename",
     {"name": "my_name-2"}),
    ("instance_stats", lambda c: c.instance_stats("vm-1"), "GET /instances/vm-1/stats", None),
    ("vnc_ticket", lambda c: c.vnc_ticket("vm-1"), "POST /instances/vm-1/vnc-proxy", None),
    ("instance_history", lambda c: c.instance_history(start_at=datetime(2024, 1, 15, tzinfo=UTC), instance_id="vm-1"),
     "POST /instances/logs", {"start_time": "2024-01-15T00:00:00Z", "instance_id": "vm-1"}),
    ("power_on", lambda c: c.power_on("vm-1"), "POST /instances/vm-1/power-on", None),
    ("shutdown", lambda c: c.shutdown("vm-1"), "POST /instances/vm-1/shutdown", None),
    ("power_off", lambda c: c.power_off("vm-1"), "POST /instances/vm-1/power-off", None),
    ("reboot", lambda c: c.reboot("vm-1"), "POST /instances/vm-1/reboot", None),
    ("power_cycle", lambda c: c.power_cycle("vm-1"), "POST /instances/vm-1/power-cycle", None),
    ("create_backup", lambda c: c.backups.create_backup("vm-1"), "POST /instances/vm-1/backups", None),
    ("list_backups", lambda c: c.backups.list_backups("vm-1"), "GET /instances/vm-1/backups", None),
    ("restore_backup", lambda c: c.backups.restore_backup("vm-1", VOLID), "POST /instances/vm-1/restore",
     {"backup_volid": VOLID}),
    ("list_all_backups", lambda c: c.backups.list_all_backups(), "GET /backups", None),
    ("delete_backup", lambda c: c.backups.delete_backup(VOLID + "%"), f"DELETE /backups?volid={VOLID_SENT}%25", None),
    ("cross_restore", lambda c: c.backups.cross_restore(VOLID, "vm-2"), "POST /backups/restore",
     {"volid": VOLID, "target_instance_id": "vm-2"}),
    ("backup_storage", lambda c: c.backups.backup_storage(), "GET /backups/storage", None),
    ("update_backup_notes", lambda c: c.backups.update_backup_notes(VOLID, ""),
     f"PUT /backups/notes?volid={VOLID_SENT}", {"notes": ""}),
    ("get_backup_schedule", lambda c: c.backups.get_backup_schedule("vm-1"), "GET /instances/vm-1/backup-schedule",
     None),
    ("set_backup_schedule", lambda c: c.backups.set_backup_schedule("vm-1", frequency="daily", time_utc="03:00"),
     "POST /instances/vm-1/backup-schedule",
     {"enabled": True, "frequency": "daily", "time_utc": "03:00", "hour_utc": 3, "retention_count": 7}),
    ("delete_backup_schedule", lambda c: c.backups.delete_backup_schedule("vm-1"),
     "DELETE /instances/vm-1/backup-schedule", None),
    ("list_ips", lambda c: c.network.list_ips("vm-1"), "GET /instances/vm-1/ips", None),
    ("assign_ip", lambda c: c.network.assign_ip("vm-1"), "POST /instances/vm-1/ips", None),
    ("release_ip", lambda c: c.network.release_ip("vm-1", "198.51.100.7"), "DELETE /instances/vm-1/ips/198.51.100.7",
     None),
    ("get_firewall", lambda c: c.network.get_firewall("vm-1"), "GET /instances/vm-1/firewall", None),
    ("set_firewall", lambda c: c.network.set_firewall("vm-1", enable=False, policy_in="DROP"),
     "PUT /instances/vm-1/firewall", {"enable": False, "policy_in": "DROP"}),
    ("add_firewall_rule", lambda c: c.network.add_firewall_rule("vm-1", direction="in", action="ACCEPT", dport="22"),
     "POST /instances/vm-1/firewall/rules",
     {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "22", "enable": 1}),
    ("get_firewall_rule", lambda c: c.network.get_firewall_rule("vm-1", 0), "GET /instances/vm-1/firewall/rules/0",
     None),
    ("delete_firewall_rule", lambda c: c.network.delete_firewall_rule("vm-1", 3),
     "DELETE /instances/vm-1/firewall/rules/3", None),
    ("assign_team", lambda c: c.assign_team("vm-1", "team-1"), "POST /instances/vm-1/team", {"team_id": "team-1"}),
    ("remove_team", lambda c: c.remove_team("vm-1"), "DELETE /instances/vm-1/team", None),
    ("list_team_instances", lambda c: c.list_team_instances("team-1"), "GET /teams/team-1/instances", None),
    ("list_tasks", lambda c: c.list_tasks(limit=100, days=7, status="FAILED"),
     "GET /tasks?limit=100&days=7&status=FAILED", None),
    ("get_task", lambda c: c.get_task("task_abc123"), "GET /tasks/task_abc123", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "call", "line", "body"), ROWS, ids=[row[0] for row in ROWS])
def test_sends_what_is_documented(
    name: str, call: Callable[[Client], Any], line: str, body: Any, client: Client, provider: Provider
) -> None:
    provider.answers(httpx.Response(200, json=ANSWER))
    call(client)
    (request,) = provider.requests
    sent = f"{request.method} {request.url.raw_path.decode().removeprefix('/api/v1')}"
    assert sent == line
    assert request.headers["x-api-key"] == KEY
    assert (msgspec.json.decode(request.content) if request.content else None) == body
    assert str(request.url).startswith(BASE)


def test_no_row_is_without_a_method() -> None:
    assert [row[0] for row in ROWS] == list(Endpoints())


REFUSED_BEFORE_SENDING: list[Callable[[Client], Any]] = [
    lambda c: c.launch_instance(region="", instance_type="x", ssh_key="k"),
    lambda c: c.launch_instance(region="igl", instance_type="x"),
    lambda c: c.launch_instance(region="igl", instance_type="x", ssh_key="a\nb"),
    lambda c: c.launch_instance(region="igl", instance_type="x", ssh_key="k", name="-bad"),
    lambda c: c.launch_instance(region="igl", instance_type="x", ssh_key="k", name="with_underscore"),
    lambda c: c.launch_instance(region="igl", instance_type="x", ssh_key="k", name="newline\n"),
    lambda c: c.launch_instance(region="igl", instance_type="x", ssh_key="k", template_name="a", iso_url="b"),
    lambda c: c.launch_custom(region="igl", vcpus=0, memory_gib=1, storage_gib=1, ssh_key="k"),
    lambda c: c.launch_custom(region="igl", vcpus=1, memory_gib=1, storage_gib=1, gpu_count=1, ssh_key="k"),
    lambda c: c.rename_instance("vm-1", "ab"),
    lambda c: c.rename_instance("vm-1", "abc\n"),
    lambda c: c.delete_instance(""),
    lambda c: c.delete_instance(".."),
    lambda c: c.backups.delete_backup(""),
    lambda c: c.backups.set_backup_schedule("vm-1", frequency="hourly", time_utc="03:00"),
    lambda c: c.backups.set_backup_schedule("vm-1", frequency="daily", time_utc="24:00"),
    lambda c: c.backups.set_backup_schedule("vm-1", frequency="daily", time_utc="03:00", retention_count=0),
    lambda c: c.network.set_firewall("vm-1"),
    lambda c: c.network.set_firewall("vm-1", policy_in="REJECT"),
    lambda c: c.network.add_firewall_rule("vm-1", direction="up", action="ACCEPT"),
    lambda c: c.network.delete_firewall_rule("vm-1", -1),
    lambda c: c.list_tasks(limit=101),
    lambda c: c.list_tasks(status="DONE"),
    lambda c: c.instance_history(start_at=datetime(2024, 1, 15)),  # noqa: DTZ001 - that is the point
    lambda c: c.assign_team("vm-1", " "),
]


@pytest.mark.parametrize("call", REFUSED_BEFORE_SENDING)
def test_nonsense_is_refused_before_sending(call: Callable[[Client], Any], client: Client, provider: Provider) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        call(client)
    assert provider.requests == []


def test_a_half_hour_is_sent_in_the_one_spelling_that_can_say_it(client: Client, provider: Provider) -> None:
    provider.answers(httpx.Response(200, json=ANSWER))
    client.backups.set_backup_schedule("vm-1", frequency="weekly", time_utc="03:30", day_of_week=1)
    sent = msgspec.json.decode(provider.requests[0].content)
    assert (sent["time_utc"], sent["day_of_week"]) == ("03:30", 1)
    assert "hour_utc" not in sent


@pytest.mark.parametrize(
    "url", ["ftp://x/api", "https://", "https://user:pw@x", "https://x?a=b", "x", "https://x:nope"]
)
def test_a_bad_base_url_is_refused(url: str, provider: Provider) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Client(url, "key", http=httpx.Client(transport=httpx.MockTransport(provider.handle)))


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "schlüssel"])
def test_a_bad_key_is_refused(key: str, provider: Provider) -> None:
    with pytest.raises(ValueError, match="key must be"):
        Client(BASE, key, http=httpx.Client(transport=httpx.MockTransport(provider.handle)))
