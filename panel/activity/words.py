"""The provider's tasks in the words of people. A word of theirs that we do not know is shown as it is."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from cloud.models import ProviderTask

LOOKS = {
    "PENDING": ("busy", _("Waiting")),
    "PROCESSING": ("busy", _("Running")),
    "COMPLETED": ("run", _("Done")),
    "FAILED": ("bad", _("Failed")),
    "CANCELLED": ("bad", _("Cancelled")),
}
WORDS = {
    "create_instance": _("Launch"),
    "delete_instance": _("Delete"),
    "power_on": _("Start"),
    "shutdown": _("Shut down"),
    "power_off": _("Force off"),
    "reboot": _("Restart"),
    "power_cycle": _("Power cycle"),
    "create_backup": _("Back up"),
    "restore_backup": _("Restore"),
    "delete_backup": _("Delete a backup"),
}


def words(task: ProviderTask) -> tuple[str, Any, Any]:
    """(look, state in words, what it does in words). A word of theirs that we do not know is shown as it is."""
    look, state = LOOKS.get(task.status, ("unknown", task.status.title() or _("Unknown")))
    what = WORDS.get(task.operation, task.operation.replace("_", " ").capitalize()) or _("Task")
    return look, state, what
