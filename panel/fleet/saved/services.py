"""A person's own views of the list. A preference of theirs, nothing that is put on the record."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from panel.fleet.listing import Wish
from panel.fleet.models import SavedView
from panel.teams.policy import Actor

MOST = 30
LONGEST = 1000  # characters of an address


@dataclass
class Refusal(Exception):
    """Why a view cannot be kept so, in words for the person."""

    words: str


class NameTaken(Refusal):
    """There is one of this name; it may be replaced."""


@dataclass(frozen=True)
class Shelf:
    """All that a person keeps: their views in order, and the columns that the whole list does not show."""

    views: Sequence[SavedView] = ()
    plain_hidden: Sequence[str] = ()

    def current(self, wish: Wish) -> SavedView | None:
        """The view whose address this is."""
        query = query_of(wish)
        return next((view for view in self.views if view.query == query), None)

    def hidden(self, wish: Wish) -> Sequence[str]:
        view = self.current(wish)
        return self.plain_hidden if view is None else view.hidden


def shelf_of(actor: Actor) -> Shelf:
    """One query."""
    rows = list(kept_by(actor))
    plain: list[str] = next((row.hidden for row in rows if not row.name), [])
    return Shelf([row for row in rows if row.name], plain)


def kept_by(actor: Actor) -> QuerySet[SavedView]:
    return SavedView.objects.filter(user_id=_id(actor))


def query_of(wish: Wish) -> str:
    """A wish as views keep it; where in the list one is does not belong to it."""
    return wish.address().removeprefix("?")


def wish_of(query: str) -> Wish:
    return Wish.read(QueryDict(query))


def save(*, actor: Actor, name: str, wish: Wish, may_replace: bool = False) -> SavedView:
    """Keep what the list shows, with the columns that it shows now. Raises Refusal, NameTaken."""
    query = query_of(wish)
    with transaction.atomic():
        shelf = shelf_of(actor)
        same = _named(shelf, name)
        _refuse(shelf, query, same)
        if same is not None and not may_replace:
            raise NameTaken(_("You have a view of this name."))
        if same is None:
            last = shelf.views[-1].position if shelf.views else 0
            row = SavedView(user_id=_id(actor), name=name, position=last + 1)
        else:
            row = same
        row.query, row.hidden = query, list(shelf.hidden(wish))
        _write(row)
    return row


def rename(*, actor: Actor, view: SavedView, name: str) -> None:
    """Raises NameTaken."""
    with transaction.atomic():
        same = _named(shelf_of(actor), name)
        if same is not None and same.pk != view.pk:
            raise NameTaken(_("You have another view of this name."))
        view.name = name
        _write(view)


def delete(*, view: SavedView) -> None:
    """The view alone; its machines stay as they are."""
    view.delete()


def move_up(*, actor: Actor, view: SavedView) -> None:
    """One place nearer to the front; the first stays."""
    with transaction.atomic():
        views = list(shelf_of(actor).views)
        at = views.index(view)
        views.insert(max(at - 1, 0), views.pop(at))
        for position, row in enumerate(views, start=1):
            row.position = position
        SavedView.objects.bulk_update(views, ["position"])


def set_columns(*, actor: Actor, hidden: Sequence[str], view: SavedView | None) -> None:
    """Of a view, or of the whole list."""
    if view is not None:
        SavedView.objects.filter(pk=view.pk).update(hidden=list(hidden))
        return
    SavedView.objects.update_or_create(user_id=_id(actor), name="", defaults={"hidden": list(hidden)})


def _id(actor: Actor) -> int:
    return actor.user_id or 0


def _named(shelf: Shelf, name: str) -> SavedView | None:
    return next((view for view in shelf.views if view.name.casefold() == name.casefold()), None)


def _refuse(shelf: Shelf, query: str, same: SavedView | None) -> None:
    other = next((view for view in shelf.views if view.query == query and view != same), None)
    if not query:
        raise Refusal(_("This is the whole list. Search, filter or sort it first."))
    if len(query) > LONGEST:
        raise Refusal(_("The search and the filters are too long to be kept."))
    if other is not None:
        raise Refusal(_("You keep this already, as “%(name)s”.") % {"name": other.name})
    if same is None and len(shelf.views) >= MOST:
        raise Refusal(_("You have %(n)d views, and more do not fit. Delete one first.") % {"n": MOST})


def _write(row: SavedView) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:  # the same name was saved in another window in this moment
        raise NameTaken(_("You have a view of this name.")) from error
