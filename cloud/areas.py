"""The client's backups and network, as `client.backups` and `client.network`. Errors as in `cloud.client`."""

from cloud import checks, shapes
from cloud.calls import Caller
from cloud.shapes import Started

_POLICIES = ("ACCEPT", "DROP")


class Backups:
    """Backups, restores and schedules. A `volid` is opaque, with slashes and colons, and travels encoded."""

    def __init__(self, calls: Caller) -> None:
        self._call = calls.call

    def create_backup(self, instance_id: str) -> Started:
        """Start a backup; the machine keeps running. Source: endpoint table, row `create_backup`."""
        return self._call(Started, "create_backup", {"id": instance_id})

    def list_backups(self, instance_id: str) -> shapes.BackupList:
        """Backups of one machine, and whether one is being made or restored.

        Source: endpoint table, row `list_backups`.
        """
        return self._call(shapes.BackupList, "list_backups", {"id": instance_id})

    def restore_backup(self, instance_id: str, volid: str) -> Started:
        """Overwrite ALL data of the machine with a backup. Source: endpoint table, row `restore_backup`."""
        body = {"backup_volid": checks.needed("volid", volid)}
        return self._call(Started, "restore_backup", {"id": instance_id}, body=body)

    def list_all_backups(self) -> shapes.BackupList:
        """Backups of the account, also of deleted machines. Source: endpoint table, row `list_all_backups`."""
        return self._call(shapes.BackupList, "list_all_backups")

    def delete_backup(self, volid: str) -> Started:
        """Delete a backup for good. Source: endpoint table, row `delete_backup`."""
        return self._call(Started, "delete_backup", query={"volid": checks.needed("volid", volid)})

    def cross_restore(self, volid: str, target_instance_id: str) -> Started:
        """Overwrite ALL data of another machine with a backup. Source: endpoint table, row `cross_restore`."""
        target = checks.needed("target_instance_id", target_instance_id)
        body = {"volid": checks.needed("volid", volid), "target_instance_id": target}
        return self._call(Started, "cross_restore", body=body)

    def backup_storage(self) -> shapes.BackupStorage:
        """What all backups take and cost a month. Source: endpoint table, row `backup_storage`."""
        return self._call(shapes.BackupStorage, "backup_storage")

    def update_backup_notes(self, volid: str, notes: str) -> Started:
        """Replace the notes; "" empties them. Source: endpoint table, row `update_backup_notes`."""
        query = {"volid": checks.needed("volid", volid)}
        return self._call(Started, "update_backup_notes", query=query, body={"notes": notes})

    def get_backup_schedule(self, instance_id: str) -> shapes.Schedule:
        """The automatic backup; Refused(404) or all None when there is none.

        Source: endpoint table, row `get_backup_schedule`; the second spelling was seen on the live service.
        """
        return self._call(shapes.Schedule, "get_backup_schedule", {"id": instance_id})

    def set_backup_schedule(
        self,
        instance_id: str,
        *,
        frequency: str,
        time_utc: str,
        enabled: bool = True,
        retention_count: int = 7,
        day_of_week: int | str | None = None,
        day_of_month: int | None = None,
    ) -> shapes.Schedule:
        """Create or replace the schedule: daily, weekly or monthly at "HH:MM" UTC.

        Source: endpoint table, row `set_backup_schedule`.
        """
        body = checks.schedule(
            enabled=enabled,
            frequency=frequency,
            time_utc=time_utc,
            retention_count=retention_count,
            day_of_week=day_of_week,
            day_of_month=day_of_month,
        )
        return self._call(shapes.Schedule, "set_backup_schedule", {"id": instance_id}, body=body)

    def delete_backup_schedule(self, instance_id: str) -> Started:
        """No more automatic backups; those made stay. Source: endpoint table, row `delete_backup_schedule`."""
        return self._call(Started, "delete_backup_schedule", {"id": instance_id})


class Network:
    """Addresses and the firewall."""

    def __init__(self, calls: Caller) -> None:
        self._call = calls.call

    def list_ips(self, instance_id: str) -> shapes.AddressList:
        """The machine's addresses. Source: endpoint table, row `list_ips`."""
        return self._call(shapes.AddressList, "list_ips", {"id": instance_id})

    def assign_ip(self, instance_id: str) -> shapes.Address:
        """One more address, of the provider's choice; $3.00 a month. Source: endpoint table, row `assign_ip`."""
        return self._call(shapes.Address, "assign_ip", {"id": instance_id})

    def release_ip(self, instance_id: str, ip_address: str) -> Started:
        """Give an address back; refused for the primary and for the last one.

        Source: endpoint table, row `release_ip`.
        """
        return self._call(Started, "release_ip", {"id": instance_id, "ip": ip_address})

    def get_firewall(self, instance_id: str) -> shapes.Firewall:
        """Policies and rules. Source: endpoint table, row `get_firewall`."""
        return self._call(shapes.Firewall, "get_firewall", {"id": instance_id})

    def set_firewall(
        self,
        instance_id: str,
        *,
        enable: bool | None = None,
        policy_in: str | None = None,
        policy_out: str | None = None,
    ) -> shapes.Firewall:
        """Switch it, or set a policy (ACCEPT, DROP); None leaves things as they are.

        Source: endpoint table, row `set_firewall`.
        """
        for what, policy in (("policy_in", policy_in), ("policy_out", policy_out)):
            if policy is not None:
                checks.one_of(what, policy, _POLICIES)
        body = {"enable": enable, "policy_in": policy_in, "policy_out": policy_out}
        if all(value is None for value in body.values()):
            raise ValueError("nothing to set")
        return self._call(shapes.Firewall, "set_firewall", {"id": instance_id}, body=body)

    def add_firewall_rule(
        self,
        instance_id: str,
        *,
        direction: str,
        action: str,
        proto: str = "tcp",
        dport: str | None = None,
        sport: str | None = None,
        source: str | None = None,
        dest: str | None = None,
        comment: str | None = None,
        enable: bool = True,
    ) -> shapes.Rule:
        """Add a rule at position 0, which moves all others down by one. `direction` is sent as `type`.

        Source: endpoint table, row `add_firewall_rule`; the position was seen on the live service.
        """
        body = checks.rule(
            direction, action, proto, dport=dport, sport=sport, source=source, dest=dest, comment=comment
        )
        body["enable"] = int(enable)
        return self._call(shapes.Rule, "add_firewall_rule", {"id": instance_id}, body=body)

    def get_firewall_rule(self, instance_id: str, pos: int) -> shapes.Rule:
        """The rule that is at a position now. Source: endpoint table, row `get_firewall_rule`."""
        return self._call(shapes.Rule, "get_firewall_rule", {"id": instance_id, "pos": checks.position(pos)})

    def delete_firewall_rule(self, instance_id: str, pos: int) -> Started:
        """Delete what is at a position NOW: read the rules right before, a stored position may be another's.

        Source: endpoint table, row `delete_firewall_rule`.
        """
        return self._call(Started, "delete_firewall_rule", {"id": instance_id, "pos": checks.position(pos)})
