"""How a page is told that something was done in place: a note, and which of its parts are to be read again."""

import json

from django.http import HttpResponse
from django.shortcuts import render

from cloud.operations.models import Operation
from panel.actions import shown
from panel.http import PanelRequest


def note(
    request: PanelRequest, words: str, row: Operation | None = None, *, machine_id: int | None = None
) -> HttpResponse:
    """For htmx: the dialog closes, the note appears, and the parts that show the machine are read again at once."""
    context = {"words": words, "row": row, "state": shown.state_of(row) if row else None}
    response = render(request, "actions/_note.html", context)
    about = machine_id or (row.target_id if row else None)
    acted = {"topics": f"instance:{about} instances operations count", "operation": row.pk if row else ""}
    response.headers["HX-Trigger"] = json.dumps({"tidepool:acted": acted})
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#toasts", "beforeend"
    return response
