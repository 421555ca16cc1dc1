"""How a person wants pages to look. It follows them to every browser."""

from django.db import transaction

from panel.audit import record
from panel.people.models import User
from panel.teams import policy
from panel.teams.policy import Actor


def set_theme(*, actor: Actor, theme: str) -> None:
    """Light, dark, or as the system (empty)."""
    _change(actor, "theme", theme)


def set_zone(*, actor: Actor, zone: str) -> None:
    """The zone in which times are shown; empty for the browser's own."""
    _change(actor, "zone", zone)


def _change(actor: Actor, field: str, value: str) -> None:
    """One column of the actor's own row. What is so already is not written down again."""
    own = User.objects.filter(pk=policy.person_id(actor))
    with transaction.atomic():
        if not own.exclude(**{field: value}).update(**{field: value}):
            return
        record.append(
            "person.profile.changed",
            actor=actor,
            target_kind="person",
            target_id=str(actor.user_id),
            target_label=actor.label,
            detail={field: value},
        )
