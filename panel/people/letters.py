"""Mail that a page sends: by a thread of its own, so that a slow or silent mail server holds no page."""

import logging
from concurrent.futures import ThreadPoolExecutor
from smtplib import SMTPException

from django.core.mail import EmailMessage

log = logging.getLogger(__name__)
_post = ThreadPoolExecutor(1, "mail")


def send(message: EmailMessage) -> None:
    _post.submit(_deliver, message)


def _deliver(message: EmailMessage) -> None:
    try:
        message.send()
    except (OSError, SMTPException) as error:
        log.error("a mail could not be sent: %s", type(error).__name__)
