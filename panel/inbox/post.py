"""Notices by mail. The row says what is due; whoever claims it sends it; a mail server that is away is tried again."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from panel.inbox.models import Notice

log = logging.getLogger(__name__)
AT_ONCE, TRIES = 50, 6
FIRST_PAUSE = timedelta(minutes=1)  # doubled with each try
CLAIM = timedelta(minutes=10)  # longer than any mail server is waited for


def deliver(now: datetime) -> int:
    """Send what is due; how many went out. Claimed one by one, so that two who deliver send none twice: a process that
    dies in between leaves its mail to the next one, ten minutes later.
    """
    sent = 0
    for notice in Notice.objects.filter(mail_at__lte=now).select_related("user").order_by("mail_at")[:AT_ONCE]:
        mine = Notice.objects.filter(pk=notice.pk, mail_at=notice.mail_at)
        if not mine.update(mail_at=now + CLAIM, mail_tries=F("mail_tries") + 1):
            continue
        again_at = None if _is_sent(notice) else _again_at(notice, now)
        # Still ours: one that was settled meanwhile needs no mail any more.
        Notice.objects.filter(pk=notice.pk, mail_at=now + CLAIM).update(mail_at=again_at)
        sent += again_at is None
    return sent


def _is_sent(notice: Notice) -> bool:
    if not notice.user.is_active:
        return True  # to nobody
    context = {"notice": notice, "address": f"{settings.SITE_URL}{notice.address}", "site": settings.SITE_URL}
    message = EmailMessage(
        _("Tidepool: %(words)s") % {"words": " ".join(notice.words.split())[:120]},
        render_to_string("inbox/mail.txt", context),
        to=[notice.user.email],
    )
    try:
        message.send()
    except (OSError, SMTPException) as error:
        log.error("a mail could not be sent: %s", type(error).__name__)
        return False
    return True


def _again_at(notice: Notice, now: datetime) -> datetime | None:
    """Given up after some tries: it stands in the inbox all the same."""
    tries = notice.mail_tries + 1
    return now + FIRST_PAUSE * 2 ** (tries - 1) if tries < TRIES else None
