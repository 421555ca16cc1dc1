"""Instances, what they can be made of, and what they do right now. Source: the provider's reference, "Instances"."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from msgspec import structs

from cloud.shapes.fields import Cents, Joined, Known, Rows, Shape, mapping, unwrapped


class Power(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    PAUSED = "paused"
    UNKNOWN = "unknown"


_POWER = {
    "running": Power.RUNNING,
    "stopped": Power.STOPPED,
    "off": Power.STOPPED,
    "paused": Power.PAUSED,
}


def power(text: str | None) -> Power:
    """The power state behind the provider's words. Null and every unknown word are UNKNOWN, never STOPPED.

    The live service gives null in the detail of a machine that its list calls running: prefer the list.
    """
    return _POWER.get((text or "").strip().casefold(), Power.UNKNOWN)


class Instance(Shape, frozen=True, kw_only=True):
    """One machine. `region` is the region's name here ("Wilmington"), and its code ("igl") in a launch.

    `memory` and `storage` are in GiB. `metadata` was seen to be null whatever was sent at launch: never identify a
    machine by it.
    """

    aliases: ClassVar = {"uuid": ("uuid", "id")}
    wrappers: ClassVar = ("instance", "data")

    uuid: str = ""
    name: str | None = None
    ip_address: str | None = None
    internal_ip: str | None = None
    cpu_cores: int | None = None
    memory: float | None = None
    storage: float | None = None
    gpu_count: int | None = None
    gpu_model: Joined = None
    power_status: str | None = None
    region: str | None = None
    created_at: datetime | None = None
    host_id: str | None = None
    metadata: dict[str, Any] | None = None
    instance_type: str | None = None
    price_cents_per_hour: Cents = None
    team_id: str | None = None
    team_name: str | None = None
    access_type: str | None = None
    template_name: str | None = None
    template_display_name: str | None = None
    os_type: str | None = None
    vm_username: str | None = None

    @property
    def power(self) -> Power:
        return power(self.power_status)


class InstanceList(Rows, frozen=True, kw_only=True):
    """All machines of the account."""

    row_type: ClassVar = Instance
    row_key: ClassVar = "instances"
    row_id: ClassVar = "uuid"

    items: tuple[Instance, ...] = ()


class TeamInstances(InstanceList, frozen=True, kw_only=True):
    team_id: str | None = None
    team_name: str | None = None
    total: int | None = None


class Specs(Shape, frozen=True, kw_only=True):
    """`memory_gib` is the machine's memory, not the card's."""

    vcpus: int | None = None
    memory_gib: float | None = None
    storage_gib: float | None = None
    gpus: int | None = None
    gpu_model: Joined = None
    gpu_models: tuple[str, ...] = ()

    aliases: ClassVar = {"gpu_models": ("gpu_model",)}


class Region(Shape, frozen=True, kw_only=True):
    """`name` is the code that a launch takes ("igl")."""

    name: str | None = None
    description: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None


class InstanceType(Shape, frozen=True, kw_only=True):
    """One type on offer, and the regions that have room for it right now; an empty `regions` means none has."""

    id: str = ""
    name: str = ""
    description: str | None = None
    gpu_description: Known = None
    price_cents_per_hour: Cents = None
    specs: Specs = Specs()
    regions: tuple[Region, ...] = ()

    @property
    def vcpus(self) -> int | None:
        return self.specs.vcpus

    @property
    def memory_gib(self) -> float | None:
        return self.specs.memory_gib

    @property
    def storage_gib(self) -> float | None:
        return self.specs.storage_gib

    @property
    def gpus(self) -> int | None:
        return self.specs.gpus

    @property
    def gpu_model(self) -> str | None:
        return self.specs.gpu_model

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        inner = mapping(row.get("instance_type")) or {}
        name = row.get("id") or inner.get("name")
        base = super().read({**inner, "id": name, "name": inner.get("name") or name})
        return structs.replace(
            base,
            raw=row,
            specs=Specs.read(mapping(inner.get("specs")) or {}),
            regions=_regions(row.get("regions_with_capacity_available")),
        )


def _regions(value: Any) -> tuple[Region, ...]:
    """Regions as objects with a `location`; a bare code is accepted too."""
    found = value if isinstance(value, list) else []
    dicts = [{"name": one} if isinstance(one, str) else one for one in found]
    read = (
        Region.read({**one, **(mapping(one.get("location")) or {}), "name": one.get("name")})
        for one in dicts
        if isinstance(one, dict)
    )
    return tuple(region for region in read if region.name)


class TypeList(Rows, frozen=True, kw_only=True):
    row_type: ClassVar = InstanceType
    row_key: ClassVar = "instance_types"
    row_id: ClassVar = "id"

    items: tuple[InstanceType, ...] = ()


class Template(Shape, frozen=True, kw_only=True):
    name: str | None = None
    vmid: int | None = None
    display_name: str | None = None
    os_type: str | None = None
    has_nvidia: bool | None = None


class TemplateList(Rows, frozen=True, kw_only=True):
    row_type: ClassVar = Template
    row_key: ClassVar = "templates"
    row_id: ClassVar = "name"

    items: tuple[Template, ...] = ()


class Stats(Shape, frozen=True, kw_only=True):
    """What a machine does right now: percent of 0 to 100, bytes, bytes a second, seconds."""

    wrappers: ClassVar = ("stats", "data")
    aliases: ClassVar = {"uptime_s": ("uptime_seconds",)}

    instance_id: str | None = None
    status: str | None = None
    cpu_percent: float | None = None
    cpu_cores: int | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    memory_percent: float | None = None
    disk_read_bytes_s: float | None = None
    disk_write_bytes_s: float | None = None
    network_in_bytes_s: float | None = None
    network_out_bytes_s: float | None = None
    uptime_s: float | None = None

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        return structs.replace(super().read({**row, **dict(_flat(row))}), raw=row)

    @classmethod
    def parse(cls, answer: Any, *, is_write: bool = False) -> Self:
        row = unwrapped(answer, cls.wrappers)
        return super().parse({**row, **dict(_flat(row))}, is_write=is_write)


_NESTED = {
    ("cpu", "usage_percent"): "cpu_percent",
    ("cpu", "cores"): "cpu_cores",
    ("memory", "used_bytes"): "memory_used_bytes",
    ("memory", "total_bytes"): "memory_total_bytes",
    ("memory", "usage_percent"): "memory_percent",
    ("disk", "read_bytes_sec"): "disk_read_bytes_s",
    ("disk", "write_bytes_sec"): "disk_write_bytes_s",
    ("network", "in_bytes_sec"): "network_in_bytes_s",
    ("network", "out_bytes_sec"): "network_out_bytes_s",
}


def _flat(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for (group, key), name in _NESTED.items():
        inner = mapping(row.get(group))
        if inner and key in inner:
            yield name, inner[key]
