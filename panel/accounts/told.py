"""What administrators are told of provider accounts."""

from django.urls import reverse
from django.utils.translation import gettext as _

from cloud.models import Account
from panel.inbox import notices
from panel.inbox.models import Kind
from panel.people.models import User


def key_refused(account: Account) -> None:
    """Blue Lobster rejected the stored key: once, when it is noted."""
    people = User.objects.filter(is_administrator=True, is_active=True).values_list("pk", flat=True)
    words = _("Blue Lobster rejected the stored key of %(name)s. Replace it.") % {"name": account.name}
    notices.tell(people, Kind.KEY, words, reverse("accounts:replace-key", args=[account.pk]))
