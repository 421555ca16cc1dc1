"""What an approver sees: the request in words, what it costs, what it destroys."""

from typing import Any

from django.utils.translation import gettext as _

from cloud.operations.models import Operation
from cloud.operations.states import State
from panel.actions import shown as actions
from panel.actions import table
from panel.approvals import services
from panel.launch.offers import price_words
from panel.teams.models import Team


def question(row: Operation) -> dict[str, Any]:
    action = table.ACTIONS[row.kind]
    price = services.price_of(row)
    hour, month = price_words(price, is_estimate=row.kind == "launch_custom")
    named = {"verb": action.verb, "name": row.target_label}
    asked = row.precondition.get("cents_per_hour")
    return {
        "row": row,
        "action": action,
        "title": _("%(verb)s %(name)s?") % named,
        "button": _("Approve: %(verb)s %(name)s") % named,
        "team": Team.objects.filter(pk=row.team_id).first(),
        "effects": actions.effects(action, row.target) if row.target and not action.makes else [],
        "facts": _wanted(row) if action.makes else [],
        "price": price if action.makes else None,
        "hour": hour if action.makes else "",
        "month": month if action.makes else "",
        "was": price_words(asked)[0] if action.makes and asked != price else "",
        "waits": row.state == State.WAITING_APPROVAL,
    }


def _wanted(row: Operation) -> list[tuple[Any, str]]:
    """A launch's inputs in words; keys and passwords are not among them."""
    params = row.params
    facts = [
        (_("Type"), params.get("instance_type", "")),
        (_("Cores, memory, disk"), _size(params)),
        (_("Region"), params.get("region", "")),
        (_("Image"), params.get("template_name") or params.get("iso_url", "")),
    ]
    return [(what, str(value)) for what, value in facts if value]


def _size(params: dict[str, Any]) -> str:
    if "vcpus" not in params:
        return ""
    cards = f"{params['gpu_count']}× {params['gpu_model']}, " if params.get("gpu_count") else ""
    return f"{cards}{params['vcpus']} vCPU, {params['memory_gib']} GiB, {params['storage_gib']} GiB"
