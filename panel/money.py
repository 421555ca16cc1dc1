"""Money in words. Cents come in as whole numbers; a month is 730 hours, as the provider counts it."""

HOURS_A_MONTH = 730


def price(cents: int | None) -> str:
    """Cents as "1.10", for a column that says its currency in the head; a dash when unknown."""
    return "–" if cents is None else f"{cents / 100:,.2f}"


def dollars(cents: int | None) -> str:
    """Cents as "$1.10"; a dash when unknown."""
    return "–" if cents is None else f"${cents / 100:,.2f}"


def a_month(cents_per_hour: int | None) -> int | None:
    """Cents for 730 hours."""
    return None if cents_per_hour is None else cents_per_hour * HOURS_A_MONTH
