"""Teams, who belongs to them with which role, who is invited, and their SSH keys. What a role may do stands in
policy.py, nowhere else.
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.people.ssh_keys import PublicKey
from panel.teams.policy import Role

DEFAULT = "Default"
ROLES = [(role.value, role.value.title()) for role in Role]


class Team(models.Model):
    """`approval_kinds` and `approval_cents_per_hour` say what takes a second person here: see rules.py."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    approval_kinds = models.JSONField(default=list, blank=True)  # names of kinds of operations
    approval_cents_per_hour = models.PositiveIntegerField(null=True, blank=True)  # launches that cost more; None: none

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def team_id(self) -> int:
        """A team is its own, for the policy."""
        return int(self.pk)


def standing(now: datetime, prefix: str = "") -> Q:
    """The memberships that are not over; `prefix` leads there from another model, such as "memberships__"."""
    return Q(**{f"{prefix}ends_at": None}) | Q(**{f"{prefix}ends_at__gt": now})


class Membership(models.Model):
    """One person's one role in one team, until `ends_at`. One that is over gives nothing from that moment on; the
    sweeper takes the row away.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=ROLES)
    added_at = models.DateTimeField(auto_now_add=True, null=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("team", "user"), name="one_role_a_team")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class Invitation(models.Model):
    """A link that makes one person a member: sent, then accepted once, withdrawn, or over after 72 hours.

    Only the hash of the link's secret is kept. It is bound to the address: whoever signs in with another one gets
    nothing. What the inviter may no longer give, the link no longer gives.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=ROLES)
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.BigIntegerField()
    invited_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    member_until = models.DateTimeField(null=True, blank=True)  # the membership's end
    used_at = models.DateTimeField(null=True, blank=True)  # accepted or withdrawn: good no more

    class Meta:
        indexes = [models.Index(fields=("team", "used_at"), name="invitation_of_a_team")]

    def __str__(self) -> str:
        return f"{self.email} to {self.team}"


class TeamKey(models.Model):
    """A public key of the team's, checked and named, offered at each launch of theirs."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="ssh_keys")
    name = models.CharField(_("name"), max_length=100)
    line = models.TextField()
    kind = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=60)
    added_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["team", "name"], name="one_team_key_of_a_name"),
            models.UniqueConstraint(fields=["team", "fingerprint"], name="one_row_a_team_key"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def short(self) -> str:
        """Enough to tell two keys apart."""
        return PublicKey(*self.line.split(" ", 2)[:2]).short


def default_team() -> Team:
    """The team that machines found at the provider belong to until they are given to another."""
    return Team.objects.get_or_create(name=DEFAULT)[0]
