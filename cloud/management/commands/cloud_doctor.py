"""Compares our table of endpoints with the provider's own OpenAPI document."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cloud.deadline import Deadline
from cloud.endpoints import Endpoints, compare
from cloud.error_bodies import decode
from cloud.errors import CloudError
from cloud.transport import exchange, open_http

TOTAL_S = 45.0
MOST_BYTES = 16 * 1024 * 1024


class Command(BaseCommand):
    help = (
        "Prints every row of our endpoint table that the provider's OpenAPI document does not know, and every path of "
        "the document that the table lacks. Sends no key. Exit code 1 when they differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", default=settings.BLUELOBSTER_BASE_URL, help="where openapi.json stands")

    def handle(self, *, base_url: str, **_options: Any) -> None:
        document = fetch(f"{base_url.rstrip('/')}/openapi.json")
        endpoints = Endpoints.with_overrides(settings.BLUELOBSTER_ENDPOINTS)
        difference = compare(document, endpoints, urlsplit(base_url).path)
        for row in difference.unknown_rows:
            self.stdout.write(f"not in the document: {row.name} = {row.method} {row.path}")
        for path in difference.missing_paths:
            self.stdout.write(f"not in our table:    {path}")
        if difference.unknown_rows or difference.missing_paths:
            raise CommandError("The table and the document differ. BLUELOBSTER_ENDPOINTS can override a row.")
        self.stdout.write("The table and the document agree.")


def fetch(address: str) -> dict[str, Any]:
    """The document. Raises CommandError with a sentence when there is none to be had."""
    try:
        with open_http() as http:
            request = http.build_request("GET", address)
            answer = exchange(http, request, Deadline(TOTAL_S), is_write=False, body_cap_bytes=MOST_BYTES)
        document = decode(answer.body)
    except CloudError as error:
        raise CommandError(f"No document at {address}: {error.message}") from error
    except ValueError as error:
        raise CommandError(f"What stands at {address} is no JSON (status {answer.status}).") from error
    if answer.status != HTTPStatus.OK or not isinstance(document, dict):
        raise CommandError(f"What stands at {address} is no OpenAPI document (status {answer.status}).")
    return document
