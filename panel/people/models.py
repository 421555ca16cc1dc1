"""People. They sign in with their address; there are no user names."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _


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


class User(AbstractBaseUser):
    """A person. `is_administrator` is a right over the installation, roles over teams stand in Membership."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    is_administrator = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    def __str__(self) -> str:
        return self.email


class SignInFailures(models.Model):
    """Failed sign-ins of one address or one network in the running window. See lockout.py."""

    key = models.CharField(max_length=200, unique=True)
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
