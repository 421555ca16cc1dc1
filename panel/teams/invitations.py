"""Invitations: a link by mail or by hand that makes one person a member, once, within 72 hours.

The secret in the link is shown to the inviter once and kept nowhere; the row has its hash. It opens nothing for whoever
signs in with another address, and gives no more than its inviter may still give when it is used.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from panel.audit import record
from panel.inbox import notices
from panel.people import letters
from panel.people.models import User, folded_email
from panel.teams import cutting, policy
from panel.teams.actors import actor_by_id
from panel.teams.members import Refused
from panel.teams.models import Invitation, Membership, Team, standing
from panel.teams.policy import Actor, Permission, Role

GOOD_FOR = timedelta(hours=72)
MOST_OPEN = 200  # of one team


@dataclass(frozen=True)
class Invited:
    """The row, and the link, which nobody can show again."""

    row: Invitation
    link: str


def open_of(team: Team) -> QuerySet[Invitation]:
    return Invitation.objects.filter(team=team, used_at=None, expires_at__gt=system_clock()).order_by("-created_at")


def invite(*, actor: Actor, team: Team, email: str, role: Role, member_until: datetime | None = None) -> Invited:
    """Invite somebody, and mail them the link. An older open invitation of theirs to this team is good no more.

    Raises PermissionDenied above the actor's own role, Refused for a member or too many.
    """
    policy.require(actor, Permission.MEMBER_INVITE, team)
    if role not in policy.grantable(actor, team):
        policy.deny(Permission.MEMBER_INVITE)
    email, secret, now = folded_email(email), secrets.token_urlsafe(32), system_clock()
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=team.pk)
        if Membership.objects.filter(standing(now), team=team, user__email=email, user__is_active=True).exists():
            raise Refused(_("%(who)s belongs to this team already.") % {"who": email})
        if open_of(team).count() >= MOST_OPEN:
            raise Refused(_("There are too many open invitations. Withdraw some first."))
        open_of(team).filter(email=email).update(used_at=now)
        row = Invitation.objects.create(
            team=team,
            email=email,
            role=role,
            secret_hash=_hashed(secret),
            invited_by=policy.person_id(actor),
            invited_by_label=actor.label,
            created_at=now,
            expires_at=now + GOOD_FOR,
            member_until=member_until,
        )
        link = f"{settings.SITE_URL}{reverse('invitation', args=[secret])}"
        letter = letter_of(row, link)
        transaction.on_commit(lambda: letters.send(letter), robust=True)
        record.append("team.invitation.made", actor=actor, detail=_detail(row), **_about(row))
    return Invited(row, link)


def withdraw(*, actor: Actor, invitation: Invitation) -> None:
    """The link is good no more. Raises PermissionDenied."""
    policy.require(actor, Permission.MEMBER_INVITE, invitation)
    with transaction.atomic():
        if Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=system_clock()):
            record.append("team.invitation.withdrawn", actor=actor, detail=_detail(invitation), **_about(invitation))


def found(secret: str) -> Invitation | None:
    """The invitation that this link opens; None when it is used, over, or its inviter may not give this any more."""
    rows = Invitation.objects.select_related("team").filter(used_at=None, expires_at__gt=system_clock())
    row = rows.filter(secret_hash=_hashed(secret)).first()
    if row is None or Role(row.role) not in policy.grantable(actor_by_id(row.invited_by), row):
        return None
    return row


def accept(*, user: User, secret: str, actor: Actor) -> Membership:
    """Become a member: `user` is who signed in, or was made for this very invitation. Raises Refused."""
    now = system_clock()
    with transaction.atomic():
        row = found(secret)
        # One update decides between two who click at once.
        is_mine = row is not None and user.email == row.email and user.is_active
        if not row or not is_mine or not Invitation.objects.filter(pk=row.pk, used_at=None).update(used_at=now):
            raise Refused(_("This invitation is no longer good. Ask for a new one."))
        Membership.objects.filter(team=row.team, user=user, ends_at__lte=now).delete()
        member, _is_new = Membership.objects.get_or_create(
            team=row.team, user=user, defaults={"role": row.role, "ends_at": row.member_until}
        )
        cutting.changed(user.pk)
        words = _("%(who)s accepted your invitation to %(team)s.") % {"who": user.email, "team": row.team.name}
        notices.access_changed(row.invited_by, words)
        record.append("team.invitation.accepted", actor=actor, detail=_detail(row), **_about(row))
    return member


def _hashed(secret: str) -> str:
    """The secret has 256 random bits: a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def letter_of(row: Invitation, link: str) -> EmailMessage:
    """The mail that brings the link: what it is, and what to sign in with."""
    is_known = User.objects.filter(email=row.email).exists()
    context = {"row": row, "link": link, "is_known": is_known, "role": row.get_role_display()}
    subject = _("%(who)s invites you to %(team)s on Tidepool") % {"who": row.invited_by_label, "team": row.team.name}
    return EmailMessage(" ".join(subject.split()), render_to_string("teams/invitation.txt", context), to=[row.email])


def _detail(row: Invitation) -> dict[str, str]:
    until = {"member_until": row.member_until.isoformat()} if row.member_until else {}
    return {"role": row.role, "invited_by": row.invited_by_label} | until


def _about(row: Invitation) -> record.About:
    return {
        "team_id": row.team_id,
        "team_label": row.team.name,
        "target_kind": "invitation",
        "target_id": str(row.pk),
        "target_label": row.email,
    }
