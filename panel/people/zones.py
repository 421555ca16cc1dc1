"""Time zones by their IANA names, as people choose one."""

from functools import cache
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# The rest are old names of the same zones, and fixed offsets with the sign turned round.
AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
UTC = "UTC"


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; UTC for none, and for one that this server does not know (any more)."""
    return ZoneInfo(name) if name in names() else ZoneInfo(UTC)


@cache
def names() -> frozenset[str]:
    return frozenset({UTC, *(name for name in available_timezones() if name.partition("/")[0] in AREAS)})


@cache
def options() -> SafeString:
    """All zones for a `<select>`, drawn once: some four hundred, by area. Typing "Ber" finds Berlin."""
    groups = groupby(sorted(names() - {UTC}), lambda name: name.partition("/")[0])
    return format_html_join(
        "", '<optgroup label="{}">{}</optgroup>', ((area, _of(list(zones))) for area, zones in groups)
    )


def _of(zones: list[str]) -> SafeString:
    pairs = ((zone, zone.partition("/")[2].replace("_", " ")) for zone in zones)
    return format_html("{}", format_html_join("", '<option value="{}">{}</option>', pairs))
