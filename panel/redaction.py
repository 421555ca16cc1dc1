"""One filter for every log line: what must never be written down is not."""

import logging
import re

SECRETS = re.compile(
    r"(?i)((?:x-api-key|api[_-]?key|authorization|password|secret|ticket|token|sessionid|tidepool_session)"
    r"[\"']?\s*[:=]\s*[\"']?)([^\s\"',;&}]+)"
)
URL_PASSWORD = re.compile(r"(\w+://[^:/\s]*:)([^@/\s]+)(@)")


def redacted(text: str) -> str:
    """The text with values of secret-looking names and passwords in addresses replaced by dots."""
    return URL_PASSWORD.sub(r"\1…\3", SECRETS.sub(r"\1…", text))


class Redact(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)
        return True
