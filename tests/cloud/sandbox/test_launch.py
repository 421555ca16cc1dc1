"""Launching: what is accepted, what is refused, and what appears when."""

from typing import Any

import pytest

from tests.cloud.sandbox.conftest import SSH_KEY, Provider

CUSTOM = {
    "region": "phl", "vcpus": 16, "memory_gib": 64, "storage_gib": 500, "gpu_count": 2, "gpu_model": "A4000",
    "ssh_key": SSH_KEY, "name": "custom-1",
}  # fmt: skip


def test_launch_answers_flat_and_the_machine_appears_within_two_minutes(provider: Provider) -> None:
    answer = provider.launch(name="trainer-new", username="omar")
    assert set(answer) == {"task_id", "vm_uuid", "assigned_ip", "status"}
    assert answer["status"] == "PENDING"
    provider.wait(59)
    assert provider.call("GET", f"/tasks/{answer['task_id']}")["status"] == "PROCESSING"
    provider.wait(62)
    task = provider.call("GET", f"/tasks/{answer['task_id']}")
    assert (task["status"], task["operation"], task["vm_uuid"]) == ("COMPLETED", "create_instance", answer["vm_uuid"])
    assert task["ip_address"] == answer["assigned_ip"]
    row = provider.call("GET", "/instances")[-1]
    assert (row["uuid"], row["name"], row["vm_username"]) == (answer["vm_uuid"], "trainer-new", "omar")
    assert row["power_status"].lower() == "running"


def test_speed_shortens_the_launch(provider: Provider) -> None:
    provider.control("POST", "speed", {"speed": 60})
    uuid = provider.launch()["vm_uuid"]
    provider.wait(0.9)
    provider.call("GET", f"/instances/{uuid}", status=404)
    provider.wait(1.2)
    provider.call("GET", f"/instances/{uuid}")


def test_custom_launch_makes_what_was_asked(provider: Provider) -> None:
    provider.control("POST", "world", {"do": "capacity", "available": True})
    uuid = provider.call("POST", "/instances/launch-custom", CUSTOM)["vm_uuid"]
    provider.wait(130)
    row = provider.call("GET", f"/instances/{uuid}")
    assert (row["cpu_cores"], row["memory"], row["storage"]) == (16, 64, 500)
    assert (row["gpu_count"], row["gpu_model"], row["instance_type"]) == (2, "RTX A4000", "custom")
    assert row["price_cents_per_hour"] > 0


def test_custom_launch_without_a_gpu_needs_no_model(provider: Provider) -> None:
    body = CUSTOM | {"gpu_count": 0}
    del body["gpu_model"]
    provider.call("POST", "/instances/launch-custom", body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gpu_model", None),
        ("gpu_model", "H900"),
        ("vcpus", 0),
        ("memory_gib", 5000),
        ("storage_gib", 1),
        ("gpu_count", 9),
    ],
)
def test_custom_launch_refuses_nonsense(provider: Provider, field: str, value: Any) -> None:
    answer = provider.call("POST", "/instances/launch-custom", CUSTOM | {field: value}, status=400)
    assert answer["errors"][0]["field"] == field


BLOB = SSH_KEY.split()[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", "Wilmington"),
        ("instance_type", "v1_gpu_9x"),
        ("name", "under_score"),
        ("name", "-dash"),
        ("name", "dash-"),
        ("name", "a"),
        ("name", "a" * 65),
        ("name", "ok\n"),
        ("username", "Not OK"),
        ("ssh_key", "ssh-ed25519"),
        ("ssh_key", "ssh-ed25519 %%%"),
        ("ssh_key", f"ssh-rsa {BLOB}"),
        ("ssh_key", f"ssh-foo {BLOB}"),
        ("ssh_key", ""),
        ("ssh_key", SSH_KEY + "\nssh-rsa AAAA"),
        ("template_name", "SLACKWARE"),
        ("iso_url", "ftp://example.org/x.iso"),
    ],
)
def test_launch_refuses_by_field(provider: Provider, field: str, value: str) -> None:
    body = {"region": "igl", "instance_type": "v1_cpu_medium", "ssh_key": SSH_KEY, "name": "ok", field: value}
    answer = provider.call("POST", "/instances/launch-instance", body, status=400)
    assert answer["error"] == "validation_error"
    assert answer["errors"][0]["field"] == field
    assert provider.commits() == []


def test_template_and_iso_together_are_refused(provider: Provider) -> None:
    body = {"region": "igl", "instance_type": "v1_cpu_medium", "ssh_key": SSH_KEY, "template_name": "DEBIAN-12"}
    body["iso_url"] = "https://example.org/x.iso"
    provider.call("POST", "/instances/launch-instance", body, status=400)


def test_a_password_does_instead_of_a_key_and_stays_out_of_the_log(provider: Provider) -> None:
    provider.launch(ssh_key=None, password="hunter2-canary", template_name="WINDOWS-11")
    assert "canary" not in str(provider.commits())


def test_no_capacity_is_409_and_leaves_nothing(provider: Provider) -> None:
    provider.control("POST", "world", {"do": "capacity", "region": "igl", "available": False})
    body = {"region": "igl", "instance_type": "v1_cpu_medium", "ssh_key": SSH_KEY}
    answer = provider.call("POST", "/instances/launch-instance", body, status=409)
    assert answer["detail"]["error"] == "no_capacity"
    assert provider.call("GET", "/tasks")["total"] == 0
    row = provider.call("GET", "/instances/available")["data"][0]
    assert [each["name"] for each in row["regions_with_capacity_available"]] == ["phl"]


def test_failed_launch_leaves_no_machine(provider: Provider) -> None:
    provider.control("POST", "world", {"do": "next_task", "operation": "create_instance", "message": "no disk"})
    answer = provider.launch()
    provider.wait(130)
    task = provider.call("GET", f"/tasks/{answer['task_id']}")
    assert (task["status"], task["message"]) == ("FAILED", "no disk")
    provider.call("GET", f"/instances/{answer['vm_uuid']}", status=404)


@pytest.mark.parametrize(("status", "effect"), [("COMPLETED", False), ("FAILED", True)])
def test_task_and_machine_can_be_made_to_contradict(provider: Provider, status: str, effect: bool) -> None:
    provider.control("POST", "world", {"do": "next_task", "status": status, "effect": effect})
    answer = provider.launch()
    provider.wait(130)
    assert provider.call("GET", f"/tasks/{answer['task_id']}")["status"] == status
    provider.call("GET", f"/instances/{answer['vm_uuid']}", status=200 if effect else 404)
