"""A catalogue as the provider offers it, and a form that would be taken."""

from typing import Any

import pytest

from cloud.models import Account, InstanceType, Template
from panel.actions.forms import new_key
from panel.people.models import User

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl olga@laptop"
HERE = {"code": "igl", "name": "igl", "place": "Wilmington, Delaware"}
THERE = {"code": "phl", "name": "phl", "place": "Philadelphia, Pennsylvania"}


def offered(account: Account, name: str, cents: int, gpus: int, model: str, regions: list[dict[str, str]]) -> None:
    size = (
        {"vcpus": 8, "memory_gib": 32, "storage_gib": 250}
        if gpus
        else {"vcpus": 4, "memory_gib": 16, "storage_gib": 100}
    )
    InstanceType.objects.create(
        account=account, name=name, price_cents_per_hour=cents, gpu_count=gpus, gpu_model=model, regions=regions, **size
    )


@pytest.fixture
def catalogue(account: Account) -> None:
    offered(account, "v1_cpu_medium", 6, 0, "", [HERE, THERE])
    offered(account, "v1_gpu_1x_a4000", 20, 1, "RTX A4000", [HERE])
    offered(account, "v1_gpu_1x_a5000", 30, 1, "RTX A5000", [HERE, THERE])
    offered(account, "v1_gpu_1x_8000", 50, 1, "Quadro RTX 8000", [])
    for name, label, system, has_nvidia in (
        ("UBUNTU-22-04", "Ubuntu 22.04", "linux", False),
        ("UBUNTU-22-04-NV", "Ubuntu 22.04 + NVIDIA", "linux", True),
        ("WINDOWS-11", "Windows 11", "windows", False),
    ):
        Template.objects.create(account=account, name=name, label=label, os_type=system, has_nvidia=has_nvidia)


@pytest.fixture
def filled(account: Account, olga: User, catalogue: None) -> dict[str, Any]:
    """What a person types who wants one A4000."""
    return {
        "key": new_key(),
        "account": account.pk,
        "name": "trainer-10",
        "instance_type": "v1_gpu_1x_a4000",
        "region": "igl",
        "image": "usual",
        "ssh": "other",
        "public_key": PUBLIC + "\n",
        "labels": "project=vision",
    }


@pytest.fixture
def filled_own(filled: dict[str, Any]) -> dict[str, Any]:
    """And one who wants a size of their own."""
    del filled["instance_type"]
    return filled | {"vcpus": "16", "memory_gib": "64", "storage_gib": "500", "gpu_count": "2", "gpu_model": "A4000"}
