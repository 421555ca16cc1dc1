import base64
import secrets
from typing import Any

from django.core.management.base import BaseCommand
from nacl.signing import SigningKey

from cloud.seal import new_keys


class Command(BaseCommand):
    help = "Prints fresh keys for a new installation. Nothing is stored: put each where the comments say."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        private, public = new_keys()
        record = SigningKey.generate()
        self.stdout.write("# For .env:")
        self.stdout.write(f"TIDEPOOL_SECRET_KEY={secrets.token_urlsafe(48)}")
        self.stdout.write(f"TIDEPOOL_WORKER_PUBLIC_KEY={public}")
        self.stdout.write(f"TIDEPOOL_RECORD_PUBLIC_KEY={base64.b64encode(bytes(record.verify_key)).decode()}")
        self.stdout.write(f"POSTGRES_PASSWORD={secrets.token_urlsafe(24)}")
        self.stdout.write(f"POSTGRES_APP_PASSWORD={secrets.token_urlsafe(24)}")
        self.stdout.write("# For the file worker.key, which workers and sweepers alone may read; without it no")
        self.stdout.write("# stored provider key can be opened again, so keep a copy in a safe place:")
        self.stdout.write(private)
        self.stdout.write("# For the file record.key, which sweepers alone may read; it signs the record:")
        self.stdout.write(base64.b64encode(bytes(record)).decode())
