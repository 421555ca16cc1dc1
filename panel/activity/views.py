"""What the provider works on, whoever started it: its own task list, as it tells it."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from cloud.models import ProviderTask
from panel.activity.queries import visible_tasks
from panel.http import PanelRequest, asks, page_or_part
from panel.teams.policy import Permission

PAGE = 50
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


@require_safe
@asks(Permission.TASK_VIEW)
def provider_tasks(request: PanelRequest) -> HttpResponse:
    wanted = request.GET.get("page", "1")
    number = min(max(int(wanted), 1), 100) if wanted.isdecimal() and len(wanted) < 6 else 1
    found, has_more = visible_tasks(request.actor).page(number, PAGE)
    context = {"rows": [(task, *words(task)) for task in found], "number": number, "has_more": has_more}
    return page_or_part(request, "activity/provider_tasks.html", context)


def words(task: ProviderTask) -> tuple[str, Any, Any]:
    """(look, state in words, what it does in words). A word of theirs that we do not know is shown as it is."""
    look, state = LOOKS.get(task.status, ("unknown", task.status.title() or _("Unknown")))
    what = WORDS.get(task.operation, task.operation.replace("_", " ").capitalize()) or _("Task")
    return look, state, what
