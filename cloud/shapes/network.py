"""Addresses and the firewall. Source: the provider's reference, "IP Addresses" and "Firewall"."""

from datetime import datetime
from typing import Any, ClassVar, Self

from msgspec import structs

from cloud.shapes.fields import Rows, Shape, readable


class Address(Shape, frozen=True, kw_only=True):
    wrappers: ClassVar = ("ip", "data")

    ip_address: str | None = None
    internal_ip: str | None = None
    interface_name: str | None = None
    is_primary: bool | None = None
    bridge: str | None = None
    mac_address: str | None = None
    assigned_at: datetime | None = None


class AddressList(Rows, frozen=True, kw_only=True):
    row_type: ClassVar = Address
    row_key: ClassVar = "ips"
    row_id: ClassVar = "ip_address"

    instance_id: str | None = None
    ip_count: int | None = None
    items: tuple[Address, ...] = ()


class Rule(Shape, frozen=True, kw_only=True):
    """One firewall rule. A position holds only until the next change: a new rule is put at 0, a delete moves others.

    `dport` and `sport` are text: "22", "80:443" or "80,443".
    """

    wrappers: ClassVar = ("rule", "data")

    pos: int | None = None
    type: str | None = None
    action: str | None = None
    proto: str | None = None
    dport: str | None = None
    sport: str | None = None
    source: str | None = None
    dest: str | None = None
    comment: str | None = None
    enable: bool | None = None


class Firewall(Shape, frozen=True, kw_only=True):
    """Rules in the order in which they are evaluated. `skipped` counts rules that could not be read."""

    wrappers: ClassVar = ("firewall", "data")
    aliases: ClassVar = {"enabled": ("enabled", "enable")}

    enabled: bool | None = None
    policy_in: str | None = None
    policy_out: str | None = None
    rules: tuple[Rule, ...] = ()
    skipped: int = 0

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        listed = row.get("rules")
        found, skipped = readable(Rule, listed, "action") if isinstance(listed, list) else ((), 0)
        return structs.replace(super().read(row), rules=found, skipped=skipped)
