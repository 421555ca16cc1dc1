"""One filter for every log line: what must never be written down is not."""

import logging
import re

SECRETS = re.compile(
    r"(?i)((?:x-api-key|api[_-]?key|authorization|password|secret|ticket|token|sessionid|tidepool_session)"
    r"[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token)\s+)?)([^\s\"',;&}]+)"
)
# Bounded, each part: a log line may hold what a stranger typed, and an unbounded one took seconds for 60 KB.
URL_PASSWORD = re.compile(r"(\b\w{1,20}://[^:/\s]{0,200}:)([^@/\s]{1,500})(@)")
# Names of fields whose values are secrets. `key` and `token` only as the last word: `key_state` tells nothing.
SECRET_NAME = re.compile(
    r"(?i)passw|passphrase|secret|ticket|authorization|credential|cookie|sessionid|private|x-api-key|api[_-]?key"
    r"|(?:keys?|tokens?|otp)$"
)
RESET_LINK = re.compile(r"(/password/new/)[^\s\"']+")


def redacted(text: str) -> str:
    """The text without values of secret-looking names, passwords in addresses and links to a new password."""
    text = RESET_LINK.sub(r"\1…", SECRETS.sub(r"\1…", text))
    return URL_PASSWORD.sub(r"\1…\3", text)


def is_secret(name: str) -> bool:
    """Whether a field of this name holds what must never be written down."""
    return SECRET_NAME.search(name) is not None


class Redact(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)
        return True
