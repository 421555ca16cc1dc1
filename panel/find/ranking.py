"""How well a text fits what was typed: the name itself, its beginning, the beginning of a word, somewhere inside."""

import re
from enum import IntEnum

from django.db.models import Case, IntegerField, Q, Value, When

MOST_WORDS = 6  # each is looked for in every machine
STARTS = (" ", "-", "_", ".")  # what a word begins behind


class Fit(IntEnum):
    EXACT = 0
    PREFIX = 1
    WORD = 2
    INSIDE = 3


def fit_of(text: str, q: str) -> Fit | None:
    """None where a word of `q` does not occur. Nothing typed fits everything alike."""
    text, q = text.casefold(), q.casefold()
    if not q:
        return Fit.INSIDE
    if text == q:
        return Fit.EXACT
    if text.startswith(q):
        return Fit.PREFIX
    if any(word.startswith(q) for word in re.split(r"[\s_.-]+", text)):
        return Fit.WORD
    return Fit.INSIDE if all(word in text for word in q.split()) else None


def occurs(q: str) -> Q:
    """Machines in whose folded `search` column every word occurs."""
    found = Q()
    for word in q.casefold().split()[:MOST_WORDS]:
        found &= Q(search__contains=word)
    return found


def rank_of(*phrases: str) -> Case:
    """How well a machine fits the best of the phrases. `search` begins with the folded name (cloud/columns.py)."""
    exact, prefix, word = Q(), Q(), Q()
    for phrase in phrases:
        folded = phrase.casefold()
        exact |= Q(name__iexact=phrase)
        prefix |= Q(search__startswith=folded)
        for start in STARTS:
            word |= Q(search__contains=start + folded)
    ranked = ((exact, Fit.EXACT), (prefix, Fit.PREFIX), (word, Fit.WORD))
    return Case(
        *(When(condition, then=Value(int(fit))) for condition, fit in ranked),
        default=Value(int(Fit.INSIDE)),
        output_field=IntegerField(),
    )
