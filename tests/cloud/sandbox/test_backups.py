"""Backups, restores, storage, notes and schedules."""

from typing import Any

import pytest

from tests.cloud.sandbox.conftest import Provider


def backed_up(provider: Provider) -> tuple[str, str]:
    """A running machine with one fresh backup: its id and the volid."""
    uuid = provider.machine(backups=[])
    provider.call("POST", f"/instances/{uuid}/backups")
    provider.wait(301)
    rows = provider.call("GET", f"/instances/{uuid}/backups")["backups"]
    assert len(rows) == 1
    return uuid, rows[0]["volid"]


def test_backup_takes_minutes_and_is_seen_in_progress(provider: Provider) -> None:
    uuid = provider.machine(backups=[])
    answer = provider.call("POST", f"/instances/{uuid}/backups")
    assert answer == {"message": "Backup started", "task_id": answer["task_id"], "instance_id": uuid}
    provider.wait(80)
    during = provider.call("GET", f"/instances/{uuid}/backups")
    assert (during["total"], during["storage"], during["restore_in_progress"]) == (0, "wil-pbs-01", None)
    assert during["backup_in_progress"]["task_id"] == answer["task_id"]
    provider.wait(230)
    after = provider.call("GET", f"/instances/{uuid}/backups")
    assert (after["total"], after["backup_in_progress"]) == (1, None)
    row = after["backups"][0]
    assert set(row) == {"volid", "size_bytes", "size_human", "created_at", "format"}
    assert row["volid"].startswith("wil-pbs-01:backup/vm/")


def test_restore_runs_for_this_machines_backup_only(provider: Provider) -> None:
    uuid, volid = backed_up(provider)
    answer = provider.call("POST", f"/instances/{uuid}/restore", {"backup_volid": volid})
    assert (answer["message"], answer["backup_volid"]) == ("Restore started", volid)
    provider.wait(100)
    assert provider.call("GET", f"/instances/{uuid}/backups")["restore_in_progress"]["task_id"] == answer["task_id"]
    provider.wait(400)
    assert provider.call("GET", f"/tasks/{answer['task_id']}")["status"] == "COMPLETED"
    other = provider.machine(backups=[])
    provider.call("POST", f"/instances/{other}/restore", {"backup_volid": volid}, status=404)


def test_cross_restore_needs_enough_storage(provider: Provider) -> None:
    uuid, volid = backed_up(provider)
    world = provider.sandbox.world
    source = world.instances[uuid]
    big = next(each for each in world.instances.values() if each.storage >= source.storage and each.uuid != uuid)
    answer = provider.call("POST", "/backups/restore", {"volid": volid, "target_instance_id": big.uuid})
    assert (answer["target_instance_id"], answer["backup_volid"]) == (big.uuid, volid)
    source.storage = 100_000
    small = provider.machine()
    body = {"volid": volid, "target_instance_id": small if small != uuid else provider.machine("stopped")}
    assert provider.call("POST", "/backups/restore", body, status=400)["error"] == "incompatible"
    provider.call("POST", "/backups/restore", body | {"volid": "none"}, status=404)


def test_account_list_has_owners_and_notes(provider: Provider) -> None:
    uuid, volid = backed_up(provider)
    answer = provider.call("PUT", "/backups/notes", {"notes": "before / after: 100 %"}, params={"volid": volid})
    assert answer == {"success": True, "message": "Notes updated", "volid": volid}
    listed = provider.call("GET", "/backups")
    assert listed["total"] == len(listed["backups"])
    row = next(each for each in listed["backups"] if each["volid"] == volid)
    assert (row["instance_id"], row["notes"]) == (uuid, "before / after: 100 %")
    assert "instance_name" in row
    assert "format" not in row
    provider.call("PUT", "/backups/notes", {"notes": "x" * 501}, params={"volid": volid}, status=400)
    provider.call("PUT", "/backups/notes", {"notes": "x"}, status=422)


def test_deleted_backup_is_gone_after_its_task(provider: Provider) -> None:
    _, volid = backed_up(provider)
    answer = provider.call("DELETE", "/backups", params={"volid": volid})
    assert (answer["success"], answer["message"], answer["volid"]) == (True, "Backup deletion started", volid)
    provider.call("DELETE", "/backups", params={"volid": volid}, status=409)
    provider.wait(20)
    provider.call("DELETE", "/backups", params={"volid": volid}, status=404)


def test_storage_is_free_up_to_250_gb(provider: Provider) -> None:
    world = provider.sandbox.world
    for each in world.instances.values():
        each.backups = each.backups[:1] if each.uuid == provider.machine(backups=[]) else []
    uuid, _ = backed_up(provider)
    backup = world.instances[uuid].backups[0]
    backup.size_bytes = 100 * 2**30
    free = provider.call("GET", "/backups/storage")
    assert (free["total_gb"], free["free_tier_gb"], free["billable_gb"], free["is_free"]) == (100.0, 250.0, 0, True)
    assert (free["usage_percent"], free["monthly_cost_formatted"], free["backup_count"]) == (40.0, "$0.00/mo", 1)
    backup.size_bytes = 350 * 2**30
    paid = provider.call("GET", "/backups/storage")
    assert (paid["billable_gb"], paid["monthly_cost_cents"], paid["is_free"]) == (100.0, 500, False)
    assert paid["total_formatted"] == "350.00 GB"


def test_schedule_is_set_read_run_and_deleted(plain: Provider) -> None:
    uuid = plain.machine(schedule=None, backups=[])
    path = f"/instances/{uuid}/backup-schedule"
    plain.call("GET", path, status=404)
    body = {"enabled": True, "frequency": "daily", "time_utc": "03:00", "retention_count": 2}
    answer = plain.call("POST", path, body)
    assert answer["message"] == "Backup schedule created"
    assert answer["schedule"] == body
    read = plain.call("GET", path)
    assert read == {"instance_id": uuid, **body, "last_backup": None, "next_backup": "2026-05-29T03:00:00Z"}
    for _ in range(4):
        plain.wait(86400)
        plain.call("GET", "/health")
        plain.wait(400)
        plain.call("GET", "/health")
    assert plain.call("GET", f"/instances/{uuid}/backups")["total"] == 2
    assert plain.call("GET", path)["last_backup"] is not None
    assert plain.call("POST", path, body)["message"] == "Backup schedule updated"
    plain.call("DELETE", path)
    plain.call("DELETE", path, status=404)


def test_schedule_takes_both_spellings(plain: Provider) -> None:
    path = f"/instances/{plain.machine()}/backup-schedule"
    plain.call("POST", path, {"frequency": "weekly", "hour_utc": 4, "day_of_week": 2})
    read = plain.call("GET", path)
    assert (read["time_utc"], read["frequency"], read["next_backup"]) == ("04:00", "weekly", "2026-06-03T04:00:00Z")
    plain.call("POST", path, {"frequency": "monthly", "time_utc": "05:00", "hour_utc": 5, "day_of_month": 31})
    assert plain.call("GET", path)["next_backup"] == "2026-05-31T05:00:00Z"
    plain.call("POST", path, {"enabled": False})
    assert plain.call("GET", path)["next_backup"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"frequency": "hourly"},
        {"time_utc": "3:00"},
        {"time_utc": "24:00"},
        {"hour_utc": 24},
        {"time_utc": "03:00", "hour_utc": 4},
        {"day_of_week": 7},
        {"day_of_month": 0},
        {"retention_count": 0},
    ],
)
def test_schedule_refuses_nonsense(plain: Provider, body: dict[str, Any]) -> None:
    plain.call("POST", f"/instances/{plain.machine()}/backup-schedule", body, status=400)
