from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from panel.local.keys import new_password
from panel.people.models import User, folded_email
from panel.teams.installation import found_owner


class Command(BaseCommand):
    help = "Makes an installation's first person, who owns the team Default, and prints a password for them once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *, email: str, **options: Any) -> None:
        address = folded_email(email)
        try:
            validate_email(address)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.") from None
        if User.objects.filter(email=address).exists():
            raise CommandError(f"{address} exists already; manage.py changepassword {address} sets a new password.")
        password = new_password()
        found_owner(address, password)
        self.stdout.write(f"user={address} password={password}")
