"""What concerns one person: a notice in their inbox, and a mail where they want one."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    APPROVAL = "approval", _("Somebody asks for your approval")
    ANSWER = "answer", _("What you asked for was approved or rejected")
    TROUBLE = "trouble", _("An action failed, or nobody knows how it ended")
    ACCESS = "access", _("Your access changed")
    KEY = "key", _("Blue Lobster refused a key")


class Notice(models.Model):
    """Written in the transaction of what it tells. `mail_at` is when a mail is due; None: not wanted, or sent."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField()
    words = models.CharField(max_length=300)
    address = models.CharField(max_length=200, blank=True)  # of the page where one does something about it
    read_at = models.DateTimeField(null=True, blank=True)
    mail_at = models.DateTimeField(null=True, blank=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("-at", "-id")
        indexes = [
            models.Index(fields=("user", "read_at", "-at"), name="notice_of_a_person"),
            models.Index(fields=("mail_at",), name="notice_to_mail", condition=models.Q(mail_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.words


class Silence(models.Model):
    """What a person does not want to be told: no row means that they want it, in the inbox and by mail."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="silences")
    kind = models.CharField(max_length=16, choices=Kind)
    is_mail = models.BooleanField()  # of the mail; else of the inbox, and with it of the mail

    class Meta:
        constraints = [models.UniqueConstraint(fields=("user", "kind", "is_mail"), name="one_silence")]

    def __str__(self) -> str:
        return f"{self.user}: no {self.kind}"
