"""The row of one machine in a list, as HTML. Shared by all readers, nothing personal in here.

Not a template: a page has fifty of them, and the template engine spent more on these than on all the rest of the page.
End tags and quotation marks that HTML does not need are left out.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from panel.fleet.shown import State, state_of, type_note
from panel.money import price
from panel.templatetags.tidepool import clock, icon, left, short_age, span

# Ticked for an action on many (templates/bulk/form.html); for who may do nothing the column is not shown.
BOX = '<input type=checkbox name=m value={0} aria-label="{3}">'
COPY = "<button class=copy type=button>{6}</button>"
# The style sheet knows the cells by their place (panel.css): a class in each was a sixth of the page.
ROW = (
    f'<tr id="i{{0}}"{{1}}><td>{BOX}<td>{{2}}<th scope=row><a href="{{10}}{{0}}/">{{3}}</a>{{11}}<td>{{4}}<td>{{5}}'
    f"<td>{COPY}<td>{{7}}<td><time datetime={{8}}>{{9}}</time>"
    '<td><a href="{10}{0}/actions/" aria-label="{12}">⋯</a>\n'
)
GONE = format_html(' class="{}"', "is-gone")


def rows(values: Iterable[Any], stale: Mapping[int, datetime]) -> list[SafeString]:
    """Rows of listing.COLUMNS as they are shown. What many rows share is put together once."""
    now, base, more = system_clock(), reverse("fleet:list"), _("Actions for %(name)s")
    states: dict[tuple[Any, ...], SafeString] = {}
    types: dict[tuple[Any, ...], SafeString] = {}
    found = []
    for value in values:
        told = (
            value.gone_at,
            value.missing_since,
            value.account_id,
            value.power,
            value.last_power,
            value.last_power_at,
            value.attention,
            value.operation_kind,
            value.operation_state,
            value.operation_at,
            value.prepares_until,
        )
        if told not in states:
            states[told] = _state(state_of(value, stale))
        kind = (value.type_label, value.gpu_model, value.gpu_count, value.cpu_cores)
        if kind not in types:
            types[kind] = _type(*kind)
        found.append(_row(value, states[told], types[kind], now, base, more))
    return found


def _row(value: Any, state: SafeString, kind: SafeString, now: datetime, base: str, more: str) -> SafeString:
    address, name = value.ip_address, value.name or _("(no name)")
    shape = ROW if address else ROW.replace(COPY, '<span class="quiet">–</span>')
    return format_html(
        shape.replace(BOX, "") if value.gone_at else shape,
        value.id,
        GONE if value.gone_at else "",
        state,
        name,
        kind,
        value.region or "–",
        address,
        "–" if value.gone_at else price(value.price_cents_per_hour),
        f"{value.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        short_age(value.started_at, now),
        base,
        _locked() if value.is_locked else "",
        more % {"name": name},
    )


def _state(state: State) -> SafeString:
    at = format_html(" {}", clock(state.at)) if state.at else ""
    note = format_html(" <small>{}{}</small>", state.note, at) if state.note else ""
    if state.left_until:
        note = format_html(" {}{}", left(state.left_until), note)
    if state.since:
        note = format_html("{} <small>{}</small>", note, span(state.since))
    return format_html('<span class="st st-{}">{}{}</span>', state.look, state.word, note)


def _locked() -> SafeString:
    return format_html(
        ' <span class="lock" title="{0}">{1}<span class="visually-hidden">{0}</span></span>',
        _("Protected"),
        icon("lock", "icon icon-s"),
    )


def _type(label: str, gpu_model: str, gpu_count: int | None, cpu_cores: int | None) -> SafeString:
    note = type_note(gpu_model, gpu_count, cpu_cores)
    return format_html("{}{}", label or "–", format_html(' <small class="quiet">{}</small>', note) if note else "")
