"""What `script/up` does before the others start: tables, static files, the first person, the provider's account.

One short process for all of it, run at every start; each step does nothing when its work is done.
"""

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from panel.local import home, keys, statics
from panel.local.provider import Provider, settle
from panel.people.models import User
from panel.settings.paths import Paths
from panel.teams.installation import found_owner, installer

OWNER = "owner@tidepool.localhost"


class Command(BaseCommand):
    help = "Prepares the data folder of script/up. Not for production: see docker-compose.yml."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        files: Paths = settings.PATHS
        call_command("migrate", verbosity=0, interactive=False)
        statics.collect()
        _people(files)
        provider = _provider(files)
        settle(provider, actor=installer(), mark_file=files.keys / "provider_mark")


def _people(files: Paths) -> None:
    """The first person, once. The password is written down first, so that no crash can lose it."""
    if User.objects.exists():
        return
    password = keys.new_password()
    home.keep_secret(files.data / home.PASSWORD_FILE, f"{OWNER} {password}")
    found_owner(OWNER, password)


def _provider(files: Paths) -> Provider:
    sandbox_url = os.environ.get("TIDEPOOL_SANDBOX_URL")
    if sandbox_url:
        return Provider(sandbox_url, home.secret_of(files.keys / "sandbox_key"), is_sandbox=True)
    return Provider(settings.BLUELOBSTER_BASE_URL, os.environ["BLUELOBSTER_API_KEY"], is_sandbox=False)
