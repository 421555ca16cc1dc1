"""Launching: the policy, the promised machine, the operation and the record in one transaction. No network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from cloud.models import Account, Instance
from cloud.operations import launches, opening
from cloud.operations.kind import Kind
from cloud.operations.models import Operation
from cloud.operations.opening import Asker, KeyReused, Opened, Taken
from cloud.seal import seal
from panel.approvals import services as approvals
from panel.audit import record
from panel.launch import names, offers
from panel.launch.saved import SavedKey
from panel.people.ssh_keys import PublicKey
from panel.teams import policy, rules
from panel.teams.models import Team
from panel.teams.policy import Actor, Permission

_SALT = "tidepool.launch.password"
__all__ = ["KeyReused", "Refused", "Taken", "Wanted", "request_launch"]


@dataclass
class Refused(Exception):
    """Why it cannot be launched: `words` for the person, beside the field where one is to blame."""

    words: str
    field: str | None = None


@dataclass(frozen=True)
class Wanted:
    """One machine as it was chosen. `params` is what the provider is told, `shows` what the list shows meanwhile."""

    kind: Kind
    account: Account
    team: Team
    params: Mapping[str, Any]
    shows: Mapping[str, Any]
    key: PublicKey | None = None
    saved_key: SavedKey | None = None
    password: str = field(default="", repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def team_id(self) -> int:
        return self.team.pk

    @property
    def name(self) -> str:
        return str(self.params["name"])


def request_launch(*, actor: Actor, wanted: Wanted, client_key: str, instead_of: Operation | None = None) -> Opened:
    """Write a launch down; a worker sends it. The machine stands in the list from now on.

    `instead_of` is a launch that failed and is put aside by this one. Raises PermissionDenied, Refused (the account is
    disabled, the name is in use), Taken (the name is promised to another) and KeyReused.
    """
    policy.require(actor, Permission.INSTANCE_LAUNCH, wanted)
    now = system_clock()
    asker = Asker(actor.user_id or 0, actor.label, session_hash=actor.origin.session_hash)
    with transaction.atomic():
        # One after the other in an account: of two launches with one name the second hears of the first.
        account = Account.objects.select_for_update(no_key=True).get(pk=wanted.account.pk)
        is_put_aside = False
        if not Operation.objects.filter(actor_id=asker.actor_id, client_key=client_key).exists():
            is_put_aside = instead_of is not None and _put_aside(actor, instead_of)
            _check(account, wanted.name)
        team = Team.objects.get(pk=wanted.team_id)
        cents = offers.price_of(account, wanted.kind.name, wanted.params)
        opened = opening.open_launch(
            wanted.kind,
            _machine(account, wanted, now),
            by=asker,
            client_key=client_key,
            now=now,
            params=_params(wanted),
            sealed_params=seal(json.dumps({"password": wanted.password})) if wanted.password else "",
            secret_mark=salted_hmac(_SALT, wanted.password, algorithm="sha256").hexdigest(),
            retry_of=instead_of.pk if instead_of else "",
            takes_two=rules.takes_two(team, wanted.kind.name, cents),
            cents_per_hour=cents,
        )
        if opened.is_new:
            if wanted.saved_key is not None:
                wanted.saved_key.mark_used(now)
            approvals.ask(opened.row)
            lines = [_line(opened.row, "requested", _detail(wanted))]
            if instead_of and is_put_aside:
                lines.insert(0, _line(instead_of, "put_aside", {}))
            record.append_many(lines, actor=actor, at=now)
    return opened


def _check(account: Account, name: str) -> None:
    if not account.is_enabled:
        raise Refused(_("The account was disabled. Nothing was launched."))
    if names.is_taken(account, name):
        raise Refused(_("This name is taken in this account."), "name")


def _put_aside(actor: Actor, row: Operation) -> bool:
    """Before the name is looked at: the failed one of the same name is let go."""
    policy.require(actor, Permission.INSTANCE_LAUNCH, row)
    return opening.put_aside(row)


def _machine(account: Account, wanted: Wanted, now: datetime) -> Instance:
    machine = launches.machine_to_be(account, wanted.team.pk, wanted.name, now, **wanted.shows)
    machine.labels = dict(wanted.labels)
    return machine


def _params(wanted: Wanted) -> dict[str, Any]:
    """What the provider is told; what it has no use for is left out."""
    told = dict(wanted.params) | {"metadata": dict(wanted.labels) or None}
    if wanted.key is not None:
        told["ssh_key"] = wanted.key.line
    return {name: value for name, value in told.items() if value not in (None, "")}


def _detail(wanted: Wanted) -> dict[str, Any]:
    """The key by its fingerprint: that is how people tell keys apart."""
    detail = {name: value for name, value in _params(wanted).items() if name != "ssh_key"}
    detail |= {"cents_per_hour": wanted.shows.get("price_cents_per_hour")}
    return detail | ({"fingerprint": wanted.key.fingerprint} if wanted.key else {})


def _line(row: Operation, what: str, detail: dict[str, Any]) -> record.Line:
    about: record.About = {
        "team_id": row.team_id,
        "target_kind": "instance",
        "target_id": str(row.target_id or ""),
        "target_label": row.target_label,
        "operation_id": row.pk,
    }
    return record.Line(f"instance.{row.kind}.{what}", about, detail=detail)
