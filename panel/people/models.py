"""People. They sign in with their address; there are no user names."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from panel.people.devices import described
from panel.people.ssh_keys import PublicKey


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=folded_email(email), **fields)
        user.set_password(password)  # None makes a password that nothing matches
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email=folded_email(email or ""))


def folded_email(email: str) -> str:
    """One spelling for one mailbox: lower case, no blanks around."""
    return email.strip().lower()


class Theme(models.TextChoices):
    SYSTEM = "", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractBaseUser):
    """A person. `is_administrator` is a right over the installation, roles over teams stand in Membership."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    is_administrator = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    zone = models.CharField(_("time zone"), max_length=64, blank=True)  # an IANA name; empty: the browser's
    password_changed_at = models.DateTimeField(null=True, blank=True)  # by the person; None: it is the first one
    tour_ended_at = models.DateTimeField(null=True, blank=True)  # the first steps were put away
    theme = models.CharField(_("theme"), max_length=5, blank=True, choices=Theme)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    def __str__(self) -> str:
        return self.email


class SshKey(models.Model):
    """A person's own public key, as it goes into the machines that they launch. See ssh_keys.py for its shape."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ssh_keys")
    name = models.CharField(_("name"), max_length=100)
    line = models.TextField()
    kind = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "name"], name="one_ssh_key_of_a_name"),
            models.UniqueConstraint(fields=["user", "fingerprint"], name="one_row_an_ssh_key"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def short(self) -> str:
        """Enough to tell two keys apart."""
        return PublicKey(*self.line.split(" ", 2)[:2]).short


class OpenSession(models.Model):
    """Where one of Django's sessions was opened and last seen. The session's own row decides whether it still is one.

    Made at sign-in, touched once a minute. The key opens the panel: it is never shown, pages name the row.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    signed_in_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    @property
    def device(self) -> str:
        return described(self.agent)


class SignInFailures(models.Model):
    """Failed sign-ins of one address or one network in the running window. See lockout.py."""

    key = models.CharField(max_length=200, unique=True)
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
