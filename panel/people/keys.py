"""A person's own SSH keys: which they have, adding one, taking one away. All of it is public data."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from panel.audit import record
from panel.people.models import SshKey, User
from panel.people.ssh_keys import PublicKey
from panel.teams import policy
from panel.teams.policy import Actor

MOST_KEYS = 50


class KeyRefused(ValueError):
    """The person cannot have this key: `field` of the form is the reason, `words` say why."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field, self.words = field, words


def own_keys(user_id: int) -> QuerySet[SshKey]:
    """By name."""
    return SshKey.objects.filter(user_id=user_id).order_by("name", "pk")


def add_key(*, actor: Actor, name: str, key: PublicKey) -> SshKey:
    """Store a key; without a name it is called after its comment. Raises KeyRefused, or PermissionDenied for nobody."""
    own_id = policy.person_id(actor)
    with transaction.atomic():
        # Held, so that two forms at once can neither pass the limit nor take one name.
        person = User.objects.select_for_update().get(pk=own_id)
        mine = list(own_keys(own_id))
        _check(mine, name, key)
        row = SshKey.objects.create(
            user=person,
            name=name or _free_name(key.comment or _("key"), {one.name for one in mine}),
            line=key.line,
            kind=key.kind,
            fingerprint=key.fingerprint,
            created_at=system_clock(),
        )
        _record("person.ssh_key.added", actor, row)
    return row


def remove_key(*, actor: Actor, key: SshKey) -> None:
    """Forget a key. Machines that have it keep it. Somebody else's is not touched."""
    with transaction.atomic():
        gone, _rows = own_keys(policy.person_id(actor)).filter(pk=key.pk).delete()
        if gone:
            _record("person.ssh_key.removed", actor, key)


def mark_used(*, user_id: int, key_id: int, at: datetime) -> None:
    """A machine was launched with it."""
    own_keys(user_id).filter(pk=key_id).update(last_used_at=at)


def _check(mine: list[SshKey], name: str, key: PublicKey) -> None:
    same = next((one for one in mine if one.fingerprint == key.fingerprint), None)
    if same:
        raise KeyRefused("key", _("You have this key already. It is called %(name)s.") % {"name": same.name})
    if any(one.name == name for one in mine):
        raise KeyRefused("name", _("You have another key of this name."))
    if len(mine) >= MOST_KEYS:
        words = _("You have %(most)d keys, which is the most. Remove one that you no longer use.")
        raise KeyRefused("key", words % {"most": MOST_KEYS})


def _free_name(wanted: str, taken: set[str]) -> str:
    """The name, or with the first free number behind it."""
    numbered = (f"{wanted[:90]} {number}" for number in range(2, MOST_KEYS + 2))
    return wanted if wanted not in taken else next(name for name in numbered if name not in taken)


def _record(code: str, actor: Actor, key: SshKey) -> None:
    detail = {"name": key.name, "fingerprint": key.fingerprint, "kind": key.kind}
    record.append(code, actor=actor, target_kind="ssh_key", target_id=str(key.pk), target_label=key.name, detail=detail)
