import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.shapes import (
    Address,
    AddressList,
    BackupList,
    BackupStorage,
    Firewall,
    Health,
    History,
    Instance,
    InstanceList,
    Power,
    Renamed,
    Rule,
    Schedule,
    Shape,
    ShapeError,
    Started,
    Stats,
    Task,
    TaskList,
    TaskState,
    TeamInstances,
    TemplateList,
    TypeList,
    VncTicket,
    power,
)
from tests.cloud.client.conftest import FEWER

EVERY_SHAPE: list[type[Shape]] = [
    Address, AddressList, BackupList, BackupStorage, Firewall, Health, History, Instance, InstanceList, Renamed, Rule,
    Schedule, Started, Stats, Task, TaskList, TeamInstances, TemplateList, TypeList, VncTicket,
]  # fmt: skip
NOON = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
LIVE = {
    "uuid": "5f0c6a2e-0000-4000-8000-000000000001",
    "name": "my-instance",
    "ip_address": "198.51.100.7",
    "internal_ip": "10.0.0.7",
    "cpu_cores": 8,
    "memory": 32,
    "storage": 250,
    "gpu_count": 1,
    "gpu_model": "RTX A4000",
    "power_status": "running",
    "region": "Wilmington",
    "created_at": "2024-01-15T10:30:00Z",
    "host_id": "wil-gpu-26",
    "metadata": None,
    "instance_type": "v1_gpu_1x_a4000",
    "price_cents_per_hour": 20,
    "template_name": "UBUNTU-22-04-NV",
    "template_display_name": "Ubuntu 22.04 + NVIDIA",
    "os_type": "linux",
    "vm_username": "ubuntu",
    "something_new": {"a": 1},
}


def test_an_instance_with_everything() -> None:
    machine = Instance.parse(LIVE)
    assert (machine.uuid, machine.memory, machine.storage, machine.gpu_model) == (LIVE["uuid"], 32, 250, "RTX A4000")
    assert machine.created_at == NOON
    assert machine.power is Power.RUNNING
    assert machine.raw["something_new"] == {"a": 1}


@pytest.mark.parametrize(
    ("field", "given", "read"),
    [
        ("uuid", 17, "17"),
        ("name", "", None),
        ("name", "a\0b", "ab"),
        ("name", "<script>", "<script>"),
        ("name", "x" * 5000, "x" * 4096),
        ("name", ["x"], None),
        ("cpu_cores", "32", 32),
        ("cpu_cores", "32.0", 32),
        ("cpu_cores", 8.0, 8),
        ("cpu_cores", 8.5, None),
        ("cpu_cores", True, None),
        ("cpu_cores", "many", None),
        ("cpu_cores", 2**70, None),
        ("cpu_cores", "9" * 5000, None),
        ("cpu_cores", {}, None),
        ("memory", "32", 32.0),
        ("memory", "nan", None),
        ("memory", 10**400, None),
        ("price_cents_per_hour", "12.5", 13),
        ("gpu_model", ["A4000", "A5000"], "A4000, A5000"),
        ("gpu_model", [], None),
        ("metadata", "none", None),
        ("metadata", {"a": 1}, {"a": 1}),
        ("created_at", "2024-01-15T10:30:00", NOON),
        ("created_at", "2024-01-15T12:30:00+02:00", NOON),
        ("created_at", "yesterday", None),
        ("created_at", "", None),
        ("created_at", 1705314600, NOON),
        ("created_at", 5, None),
        ("created_at", "0001-01-01T00:00:00+14:00", None),
        ("created_at", "²", None),
        ("created_at", [], None),
    ],
)
def test_one_field_never_spoils_its_neighbours(field: str, given: Any, read: Any) -> None:
    machine = Instance.parse({**LIVE, field: given})
    assert getattr(machine, field) == read
    assert machine.region == "Wilmington"


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"data": rows}, lambda rows: {"instances": rows}])
def test_a_list_in_every_wrapping(wrap: Any) -> None:
    assert [one.uuid for one in InstanceList.parse(wrap([LIVE])).items] == [LIVE["uuid"]]


def test_one_bad_row_never_fails_the_list() -> None:
    listing = InstanceList.parse([LIVE, None, "x", {}, {"name": "no id"}, {**LIVE, "uuid": "vm-2", "memory": []}])
    assert [one.uuid for one in listing.items] == [LIVE["uuid"], "vm-2"]
    assert listing.skipped == 4
    assert not listing.is_complete


@pytest.mark.parametrize("answer", [None, {}, "x", 7, {"data": None}, {"instances": {}}, ["x"], [{}], {"error": "no"}])
def test_garbage_is_never_an_empty_list(answer: Any) -> None:
    with pytest.raises(ShapeError):
        InstanceList.parse(answer)


def test_an_empty_list_is_one() -> None:
    assert InstanceList.parse([]).items == ()
    assert BackupList.parse({"backups": []}).items == ()


@pytest.mark.parametrize("answer", [None, [], "x", {}, {"foo": 1}])
def test_a_read_without_any_known_field_is_garbage(answer: Any) -> None:
    with pytest.raises(ShapeError):
        Instance.parse(answer)


@pytest.mark.parametrize("answer", [None, [], "x", {"success": False}, {"error": "busy", "message": "no"}])
def test_a_good_status_that_says_no_is_no_success(answer: Any) -> None:
    with pytest.raises(ShapeError):
        Started.parse(answer, is_write=True)


def test_an_action_may_answer_without_a_task() -> None:
    started = Started.parse({"success": True, "message": "Instance assigned to team"}, is_write=True)
    assert (started.task_id, started.message) == (None, "Instance assigned to team")
    assert Started.parse({"task_id": 9, "status": "accepted"}).state is TaskState.PENDING


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("running", Power.RUNNING),
        ("Running ", Power.RUNNING),
        ("STOPPED", Power.STOPPED),
        ("off", Power.STOPPED),
        ("paused", Power.PAUSED),
        ("unknown", Power.UNKNOWN),
        ("hibernating", Power.UNKNOWN),
        ("", Power.UNKNOWN),
        (None, Power.UNKNOWN),
    ],
)
def test_power(text: str | None, state: Power) -> None:
    assert power(text) is state


def test_list_and_detail_may_disagree_on_power() -> None:
    """F24: the list says running, the detail of the same machine says null."""
    listed, detail = InstanceList.parse([LIVE]).items[0], Instance.parse({**LIVE, "power_status": None})
    assert (listed.power, detail.power) == (Power.RUNNING, Power.UNKNOWN)
    assert Instance.parse({**LIVE, "power_status": 1}).power is Power.UNKNOWN


def offered(**specs: Any) -> dict[str, Any]:
    kind = {"name": "v1_gpu", "gpu_description": "N/A", "price_cents_per_hour": 20, "specs": {"vcpus": 8, **specs}}
    place = {"city": "Wilmington", "state": "Delaware", "country": "USA"}
    regions = [{"name": "igl", "description": "East", "location": place}, "phl", None, {"location": None}]
    return {"data": [{"id": "v1_gpu", "instance_type": kind, "regions_with_capacity_available": regions}]}


def test_a_type_on_offer() -> None:
    kind = TypeList.parse(offered(memory_gib="32", gpus=1, gpu_model=["A4000", "A5000"])).items[0]
    assert (kind.id, kind.vcpus, kind.memory_gib, kind.gpus) == ("v1_gpu", 8, 32, 1)
    assert (kind.gpu_model, kind.specs.gpu_models) == ("A4000, A5000", ("A4000", "A5000"))
    assert kind.gpu_description is None
    assert [(one.name, one.city) for one in kind.regions] == [("igl", "Wilmington"), ("phl", None)]


@pytest.mark.parametrize("broken", [None, "x", [], {"specs": 7}, {"specs": None, "name": 5}])
def test_a_broken_type_is_still_one(broken: Any) -> None:
    answer = {"data": [{"id": "a", "instance_type": broken, "regions_with_capacity_available": broken}]}
    assert TypeList.parse(answer).items[0].vcpus is None


def test_stats() -> None:
    stats = Stats.parse(
        {
            "instance_id": "vm-abc123",
            "cpu": {"usage_percent": 25.5, "cores": 8},
            "memory": {"used_bytes": 8589934592, "total_bytes": "17179869184", "usage_percent": 50.0},
            "disk": {"read_bytes_sec": 1048576, "write_bytes_sec": None},
            "network": None,
            "uptime_seconds": 86400,
        }
    )
    assert (stats.cpu_percent, stats.memory_total_bytes, stats.uptime_s) == (25.5, 17179869184, 86400)
    assert (stats.disk_read_bytes_s, stats.disk_write_bytes_s, stats.network_in_bytes_s) == (1048576, None, None)


def test_stats_with_only_groups_are_stats() -> None:
    assert Stats.parse({"cpu": {"usage_percent": 1}}).cpu_percent == 1


DOCUMENTED = {"enabled": True, "frequency": "daily", "time_utc": "03:00", "retention_count": 7}
SEEN = {"frequency": "weekly", "hour_utc": 3, "day_of_week": 1}


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"schedule": s}, lambda s: {"data": s, "success": True}])
@pytest.mark.parametrize("spelling", [DOCUMENTED, SEEN])
def test_a_schedule_in_both_spellings_and_every_wrapping(wrap: Any, spelling: Any) -> None:
    schedule = Schedule.parse(wrap(spelling))
    assert (schedule.time_utc, schedule.hour_utc) == ("03:00", 3)
    assert schedule.frequency == spelling["frequency"]


def test_no_schedule_and_odd_hours() -> None:
    assert Schedule.parse({"schedule": None}).frequency is None
    assert Schedule.parse({"frequency": "daily", "hour_utc": 99}).time_utc is None
    assert Schedule.parse({"frequency": "daily", "time_utc": "soon"}).hour_utc is None


def test_backups() -> None:
    row = {"volid": "wil-pbs-01:backup/vm/100/2024-01-15T10:30:00Z", "size_bytes": 48530000000, "format": "pbs-vm"}
    listing = BackupList.parse({"instance_id": "vm-1", "storage": "s", "backups": [row], "backup_in_progress": None})
    assert (listing.items[0].volid, listing.is_busy) == (row["volid"], False)
    assert BackupList.parse({"backups": [], "restore_in_progress": {"task_id": "t"}}).is_busy
    assert BackupStorage.parse({"total_gb": 100.0, "is_free": "true", "monthly_cost_cents": 0}).is_free is True


def test_tasks_find_their_machine_in_both_places() -> None:
    listing = TaskList.parse({"tasks": [{"task_id": "t", "status": "CANCELLED", "params": {"vm_uuid": "vm-1"}}]})
    assert (listing.items[0].vm_uuid, listing.items[0].state) == ("vm-1", TaskState.FAILED)
    failed = Task.parse({"task_id": "t", "status": "FAILED", "error": "no space"})
    assert (failed.message, failed.state) == ("no space", TaskState.FAILED)
    assert Task.parse({"task_id": "t", "status": "DREAMING"}).state is TaskState.UNKNOWN


def test_network() -> None:
    address = {"ip_address": "198.51.100.74", "is_primary": False, "assigned_at": "2024-01-15T10:30:00Z"}
    assert AddressList.parse({"ip_count": 1, "ips": [address]}).items[0].assigned_at == NOON
    assert Address.parse({"status": "success", "ip": address}, is_write=True).ip_address == "198.51.100.74"
    rules = [{"pos": 0, "type": "in", "action": "ACCEPT", "dport": 22, "enable": 1}, None, {}]
    firewall = Firewall.parse({"enabled": 1, "policy_in": "DROP", "rules": rules})
    assert (firewall.enabled, firewall.rules[0].dport, firewall.rules[0].enable) == (True, "22", True)
    assert firewall.skipped == 2
    assert Firewall.parse({"firewall": {"enabled": False, "rules": []}}).enabled is False
    assert Rule.parse({"status": "success", "rule": rules[0]}).pos == 0


def test_team_and_history_and_the_rest() -> None:
    team = TeamInstances.parse({"team_id": 5, "team_name": "ML", "instances": [LIVE], "total": 1})
    assert (team.team_id, team.total, len(team.items)) == ("5", 1, 1)
    history = History.parse({"logs": [{"event": "created", "timestamp": "2024-01-15T10:30:00Z"}], "total": 1})
    assert history.items[0].timestamp == NOON
    assert TemplateList.parse({"templates": [{"name": "UBUNTU", "has_nvidia": 0}]}).items[0].has_nvidia is False
    assert Renamed.parse({"message": "ok", "new_name": "x"}).new_name == "x"


def test_a_ticket_does_not_show_itself() -> None:
    ticket = VncTicket.parse({"instance_id": "vm-1", "ticket": "PVEVNC:secret", "port": "5900", "host": "h"})
    assert ticket.port == 5900
    assert "secret" not in f"{ticket} {ticket!r}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted({name for shape in EVERY_SHAPE for name in shape.__struct_fields__} | {
    "instances", "tasks", "data", "ips", "rules", "rule", "schedule", "specs", "instance_type", "cpu", "memory", "logs",
    "regions_with_capacity_available", "templates", "backups", "params", "success", "error",
})  # fmt: skip
ROWS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=12)


@settings(FEWER)
@given(st.sampled_from(EVERY_SHAPE), ROWS | st.lists(ROWS, max_size=3) | JSON, st.booleans())
def test_no_answer_breaks_a_shape(shape: type[Shape], answer: Any, is_write: bool) -> None:
    with contextlib.suppress(ShapeError):
        shape.parse(answer, is_write=is_write)
