"""Teams and who belongs to them with which role. What a role may do stands in policy.py, nowhere else."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from panel.teams.policy import Role

DEFAULT = "Default"


class Team(models.Model):
    name = models.CharField(_("name"), max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person's one role in one team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role.value, role.value.title()) for role in Role])

    class Meta:
        constraints = [models.UniqueConstraint(fields=("team", "user"), name="one_role_a_team")]


def default_team() -> Team:
    """The team that machines found at the provider belong to until they are given to another."""
    return Team.objects.get_or_create(name=DEFAULT)[0]
