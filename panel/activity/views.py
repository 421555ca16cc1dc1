"""What the provider works on, whoever started it: its own task list, as it tells it."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from panel.activity.queries import visible_tasks
from panel.activity.words import words
from panel.http import PanelRequest, asks, page_or_part
from panel.teams.policy import Permission

PAGE = 50


@require_safe
@asks(Permission.TASK_VIEW)
def provider_tasks(request: PanelRequest) -> HttpResponse:
    wanted = request.GET.get("page", "1")
    number = min(max(int(wanted), 1), 100) if wanted.isdecimal() and len(wanted) < 6 else 1
    found, has_more = visible_tasks(request.actor).page(number, PAGE)
    context = {"rows": [(task, *words(task)) for task in found], "number": number, "has_more": has_more}
    return page_or_part(request, "activity/provider_tasks.html", context)
