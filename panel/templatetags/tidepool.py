"""Filters and tags of every template: times that the browser makes local, icons of the one sprite, numbers in words."""

from datetime import UTC, datetime
from functools import cache

from django import template
from django.forms import BoundField, Select
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cloud.clock import system_clock
from panel import money

register = template.Library()
STEPS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@register.filter
def age(at: datetime | None) -> SafeString | str:
    """How long ago, short: "12 d". The script keeps it current and shows the exact time on hover."""
    return _time(at, short_age(at, system_clock()), "") if at else "–"


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """How long ago, as words: "6 s ago"."""
    return _time(at, f"{short_age(at, system_clock())} ago", "ago") if at else "–"


@register.filter
def clock(at: datetime | None) -> SafeString | str:
    """The time of day, with the date when it is not today's; in the person's zone, or made local in the browser."""
    if not at:
        return "–"
    at = timezone.localtime(at)
    is_today = at.date() == timezone.localtime(system_clock()).date()
    return _time(at, f"{at:%H:%M}" if is_today else f"{at.day} {at:%b}, {at:%H:%M}", "clock")


@register.filter
def day(at: datetime | None) -> SafeString | str:
    """The day alone, in the person's zone, or made local in the browser."""
    if not at:
        return "–"
    at = timezone.localtime(at)
    return _time(at, f"{at:%A} {at.day} {at:%B}", "day")


@register.filter
def exact(at: datetime | None) -> SafeString | str:
    """Day and time, in the person's zone, or made local in the browser."""
    if not at:
        return "–"
    at = timezone.localtime(at)
    return _time(at, f"{at.day} {at:%b} {at.year}, {at:%H:%M} {_zone_of(at)}", "exact")


@register.filter
def utc(at: datetime | None) -> str:
    """Day and second in UTC, as exports have them."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "–"


@register.filter
def left(at: datetime | None) -> SafeString | str:
    """How long until then, as "0:09": a countdown in the browser."""
    return _time(at, _minutes((at - system_clock()).total_seconds()), "left") if at else ""


@register.filter
def span(at: datetime | None) -> SafeString | str:
    """How long since then, as "2:14": the script keeps counting."""
    return _time(at, _minutes((system_clock() - at).total_seconds()), "span") if at else ""


def _zone_of(at: datetime) -> str:
    """ "CET"; a zone without a short name says only "+03" of itself."""
    name = at.tzname() or ""
    return f"UTC{name}" if name[:1] in {"+", "-"} else name


def _minutes(amount_s: float) -> str:
    whole = max(int(amount_s), 0)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


@register.filter
def duration(amount_s: float | None) -> str:
    """ "40 s", "3 min"; nothing when unknown."""
    if amount_s is None:
        return ""
    return f"{amount_s:.0f} s" if amount_s < 90 else f"{amount_s / 60:.0f} min"


def _time(at: datetime, words: str, kind: str) -> SafeString:
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if not kind:  # a list has one in each row: bytes count
        return format_html('<time datetime="{}">{}</time>', stamp, words)
    return format_html('<time datetime="{}" data-as="{}">{}</time>', stamp, kind, words)


def short_age(at: datetime, now: datetime) -> str:
    """ "41 d", "3 h", "4 min", "12 s"; what lies in the future is "0 s"."""
    passed = max(int((now - at).total_seconds()), 0)
    for size, unit in STEPS:
        if passed >= size:
            return f"{passed // size} {unit}"
    return "0 s"


@register.filter
def dollars(cents: int | None) -> str:
    return money.dollars(cents)


@register.filter
def a_month(cents_per_hour: int | None) -> int | None:
    return money.a_month(cents_per_hour)


@register.filter
def gib(amount: float | None) -> str:
    """ "32 GiB"; a dash when unknown."""
    return "–" if amount is None else f"{amount:g} GiB"


@register.simple_tag
@cache
def icon(name: str, classes: str = "icon") -> SafeString:
    """One icon of static/icons.svg; it says nothing by itself, the word beside it does."""
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>', classes, _sprite(), name)


@cache
def _sprite() -> str:
    return static("icons.svg")


@register.filter
def control(field: BoundField) -> SafeString:
    """A form's field as the look wants it, tied to its hint or its error."""
    about = f"{field.auto_id}_error" if field.errors else f"{field.auto_id}_hint" if field.help_text else ""
    kind = "form-select" if isinstance(field.field.widget, Select) else "form-control"
    attributes: dict[str, str | bool] = {"class": f"{kind} is-invalid" if field.errors else kind}
    if field.errors:
        attributes["aria-invalid"] = "true"
    if about:
        attributes["aria-describedby"] = about
    return field.as_widget(attrs=attributes)
