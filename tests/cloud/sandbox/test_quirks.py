"""Every oddity of the live service, on and off."""

from typing import Any

import pytest

from cloud.sandbox import capacity
from cloud.sandbox.quirks import QUIRKS
from cloud.sandbox.stats import rebuilding_driver
from tests.cloud.sandbox.conftest import SSH_KEY, Provider


def test_all_are_on_at_first_and_unknown_ones_are_refused(provider: Provider) -> None:
    assert provider.control("POST", "quirks", {}) == dict.fromkeys(QUIRKS, True)
    provider.control("POST", "quirks", {"nonsense": True}, status=400)


def fresh(provider: Provider, **fields: Any) -> str:
    """A machine that was launched and has appeared."""
    uuid: str = provider.launch(**fields)["vm_uuid"]
    provider.wait(130)
    return uuid


@pytest.mark.parametrize(("on", "shown"), [(True, None), (False, {"project": "x"})])
def test_metadata_dropped(provider: Provider, on: bool, shown: dict[str, str] | None) -> None:
    provider.quirk(metadata_dropped=on)
    uuid = fresh(provider, metadata={"project": "x"})
    assert provider.call("GET", f"/instances/{uuid}")["metadata"] == shown


@pytest.mark.parametrize(("on", "status"), [(True, 404), (False, 200)])
def test_hidden_until_created(provider: Provider, on: bool, status: int) -> None:
    provider.quirk(hidden_until_created=on)
    uuid = provider.launch()["vm_uuid"]
    provider.call("GET", f"/instances/{uuid}", status=status)
    assert len(provider.call("GET", "/instances")) == (24 if on else 25)


@pytest.mark.parametrize("on", [True, False])
def test_detail_power_null(provider: Provider, on: bool) -> None:
    provider.quirk(detail_power_null=on, power_words=False)
    power = provider.call("GET", f"/instances/{provider.machine()}")["power_status"]
    assert power == (None if on else "running")
    assert all(row["power_status"] for row in provider.call("GET", "/instances"))


@pytest.mark.parametrize(("on", "status"), [(True, 400), (False, 200)])
def test_strict_launch_names(provider: Provider, on: bool, status: int) -> None:
    provider.quirk(strict_launch_names=on)
    body = {"region": "igl", "instance_type": "v1_cpu_medium", "ssh_key": SSH_KEY, "name": "under_score"}
    provider.call("POST", "/instances/launch-instance", body, status=status)


@pytest.mark.parametrize(("on", "status"), [(True, 400), (False, 200)])
def test_ssh_newline_rejected(provider: Provider, on: bool, status: int) -> None:
    provider.quirk(ssh_newline_rejected=on)
    body = {"region": "igl", "instance_type": "v1_cpu_medium", "ssh_key": SSH_KEY + "\n"}
    provider.call("POST", "/instances/launch-instance", body, status=status)


@pytest.mark.parametrize("on", [True, False])
def test_gpu_model_lists_and_na_descriptions(provider: Provider, on: bool) -> None:
    provider.quirk(gpu_model_lists=on, gpu_description_na=on)
    types = [row["instance_type"] for row in provider.call("GET", "/instances/available")["data"]]
    assert {type(each["specs"]["gpu_model"]) for each in types} == ({str, list} if on else {str})
    assert ("N/A" in {each["gpu_description"] for each in types}) is on


@pytest.mark.parametrize(("on", "names"), [(True, {"Wilmington", "Philadelphia"}), (False, {"igl", "phl"})])
def test_region_names(provider: Provider, on: bool, names: set[str]) -> None:
    provider.quirk(region_names=on)
    assert {row["region"] for row in provider.call("GET", "/instances")} == names


def test_early_invalid_state(provider: Provider) -> None:
    uuid = provider.launch()["vm_uuid"]
    writes = [("DELETE", ""), ("POST", "/shutdown"), ("POST", "/backups"), ("POST", "/ips")]
    for method, path in writes:
        assert provider.call(method, f"/instances/{uuid}{path}", status=400)["detail"]["error"] == "invalid_state"
    provider.quirk(early_invalid_state=False)
    for method, path in writes:
        provider.call(method, f"/instances/{uuid}{path}", status=404)
    provider.quirk(hidden_until_created=False)
    provider.call("DELETE", f"/instances/{uuid}", status=409)


@pytest.mark.parametrize("on", [True, False])
def test_no_idempotency_keys(provider: Provider, on: bool) -> None:
    provider.quirk(no_idempotency_keys=on)
    body = {"region": "igl", "instance_type": "v1_cpu_medium", "ssh_key": SSH_KEY, "name": "once-1"}
    answers = [
        provider.call("POST", "/instances/launch-instance", body, headers={"idempotency-key": "k"}) for _ in range(2)
    ]
    assert (answers[0] == answers[1]) is not on
    assert len(provider.commits()) == (2 if on else 1)


def test_rate_limited_far_above_a_careful_client(provider: Provider) -> None:
    for _ in range(200):
        provider.call("GET", "/health")
    response = provider.send("GET", "/api/v1/health")
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    provider.wait(0.1)
    provider.call("GET", "/health")
    provider.quirk(rate_limited=False)
    for _ in range(3):
        provider.call("GET", "/health")


@pytest.mark.parametrize(("on", "template"), [(True, "UBUNTU-22-04"), (False, "DEBIAN-12-NV")])
def test_template_ignored(provider: Provider, on: bool, template: str) -> None:
    provider.quirk(template_ignored=on)
    uuid = fresh(provider, template_name="DEBIAN-12-NV")
    assert provider.call("GET", f"/instances/{uuid}")["template_name"] == template
    other = fresh(provider, template_name="DEBIAN-12")
    assert provider.call("GET", f"/instances/{other}")["template_name"] == "DEBIAN-12"


@pytest.mark.parametrize("on", [True, False])
def test_power_words(provider: Provider, on: bool) -> None:
    provider.quirk(power_words=on)
    words = {row["power_status"] for row in provider.call("GET", "/instances")}
    assert (words <= {"running", "stopped", "off"}) is not on
    assert {word.lower() for word in words} <= {"running", "stopped", "off", "paused"}


def test_driver_rebuild_keeps_a_fresh_gpu_machine_busy_for_a_while(provider: Provider) -> None:
    provider.control("POST", "world", {"do": "capacity", "available": True})
    uuid = fresh(provider, instance_type="v1_gpu_1x_a4000")
    path = f"/instances/{uuid}/stats"
    assert provider.call("GET", path)["cpu"]["usage_percent"] >= 88
    instance = provider.sandbox.world.instances[uuid]
    assert rebuilding_driver(7, instance, 7 * 60 - 1)
    assert not rebuilding_driver(7, instance, 19 * 60)
    busy = provider.call("GET", path)
    provider.quirk(driver_rebuild=False)
    assert provider.call("GET", path)["cpu"] != busy["cpu"]


def test_capacity_moves(provider: Provider) -> None:
    meta = provider.sandbox.world.meta
    rooms = [capacity.regions_with_room(meta, "v1_gpu_4x_a6000", spell * 600.0) for spell in range(40)]
    assert [] in rooms
    assert any(rooms)
    assert rooms == [capacity.regions_with_room(meta, "v1_gpu_4x_a6000", spell * 600.0 + 5) for spell in range(40)]
    provider.quirk(capacity_moves=False)
    for row in provider.call("GET", "/instances/available")["data"]:
        assert len(row["regions_with_capacity_available"]) == 2


def test_error_shapes(provider: Provider) -> None:
    stopped = f"/instances/{provider.machine('stopped')}/shutdown"
    assert set(provider.call("POST", stopped, status=400)) == {"detail"}
    assert set(provider.call("GET", "/tasks?limit=0", status=400)) == {"error", "message", "errors"}
    assert set(provider.call("GET", "/tasks/none", status=404)) == {"error", "message"}
    assert provider.call("GET", "/nowhere", status=404) == {"detail": "Not Found"}
    provider.quirk(error_shapes=False)
    assert set(provider.call("POST", stopped, status=400)) == {"error", "message"}
    assert set(provider.call("GET", "/tasks?limit=0", status=400)) == {"error", "message"}


def test_schedule_wrapped(provider: Provider) -> None:
    machines = list(provider.sandbox.world.instances)
    for uuid in machines:
        provider.call("POST", f"/instances/{uuid}/backup-schedule", {"time_utc": "03:00"})
    styles = set()
    for uuid in machines:
        read = provider.call("GET", f"/instances/{uuid}/backup-schedule")
        style = next(iter({"schedule", "data"} & read.keys()), "flat")
        inner = read if style == "flat" else read[style]
        assert ("hour_utc" in inner) is (style != "flat")
        styles.add(style)
    assert styles == {"flat", "schedule", "data"}
    provider.quirk(schedule_wrapped=False)
    assert all("time_utc" in provider.call("GET", f"/instances/{uuid}/backup-schedule") for uuid in machines)


@pytest.mark.parametrize(("on", "status"), [(True, 403), (False, 200)])
def test_edge_rejects_agents(provider: Provider, on: bool, status: int) -> None:
    provider.quirk(edge_rejects_agents=on)
    response = provider.send("GET", "/api/v1/health", headers={"user-agent": "Python-urllib/3.11"})
    assert response.status_code == status
    assert ("html" in response.headers["content-type"]) is on
