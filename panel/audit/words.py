"""Entries in the words of people. A code that has no words here is shown as it is, never left out."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from panel.actions import table
from panel.audit.models import Entry, Outcome

# What happened, before the name of what it happened to.
WORDS: dict[str, Any] = {
    "person.signed_in": _lazy("signed in"),
    "person.signed_out": _lazy("signed out"),
    "person.sign_in.failed": _lazy("failed to sign in as"),
    "person.sign_in.refused": _lazy("was kept from guessing the password of"),
    "person.proved": _lazy("typed their password once more"),
    "person.proof.failed": _lazy("typed a wrong password for"),
    "person.password.changed": _lazy("changed the password of"),
    "person.password.set_by_mail": _lazy("set a new password by mail for"),
    "person.profile.changed": _lazy("changed the profile of"),
    "person.session.ended": _lazy("ended sessions of"),
    "person.ssh_key.added": _lazy("added their SSH key"),
    "person.ssh_key.removed": _lazy("removed their SSH key"),
    "person.added": _lazy("came in by invitation:"),
    "person.disabled": _lazy("disabled"),
    "person.enabled": _lazy("let in again"),
    "person.administrator.changed": _lazy("changed who administers the installation:"),
    "installation.owner.added": _lazy("made the first owner"),
    "team.created": _lazy("made the team"),
    "team.renamed": _lazy("renamed the team"),
    "team.rules.changed": _lazy("changed what takes two people in"),
    "team.role.changed": _lazy("changed the role of"),
    "team.member.removed": _lazy("removed"),
    "team.member.left": _lazy("left: "),
    "team.member.ended": _lazy("ended the membership of"),
    "team.invitation.made": _lazy("invited"),
    "team.invitation.withdrawn": _lazy("withdrew the invitation of"),
    "team.invitation.accepted": _lazy("accepted the invitation of"),
    "team.ssh_key.added": _lazy("added the team's SSH key"),
    "team.ssh_key.removed": _lazy("removed the team's SSH key"),
    "account.added": _lazy("connected the account"),
    "account.key.replaced": _lazy("replaced the key of"),
    "account.test.requested": _lazy("had the key tested of"),
    "account.enabled": _lazy("enabled the account"),
    "account.disabled": _lazy("disabled the account"),
    "account.missing.confirmed": _lazy("called missing machines gone in"),
    "access.denied": _lazy("was refused:"),
    "instance.protected": _lazy("protected from deletion"),
    "instance.unprotected": _lazy("took the protection away from"),
    "instance.given": _lazy("gave to another team:"),
    "record.exported": _lazy("downloaded the record"),
    "record.check.requested": _lazy("had the record checked"),
}
# The last word of an operation's code: what, and the look and word of the result.
STEPS: dict[str, tuple[Any, str, Any]] = {
    "requested": (_lazy("asked: %(verb)s"), "busy", _lazy("Asked")),
    "approved": (_lazy("approved: %(verb)s"), "run", _lazy("Approved")),
    "rejected": (_lazy("rejected: %(verb)s"), "off", _lazy("Rejected")),
    "undone": (_lazy("took back: %(verb)s"), "off", _lazy("Taken back")),
    "withdrawn": (_lazy("had to take back: %(verb)s"), "off", _lazy("Taken back")),
    "settled": (_lazy("said how it ended: %(verb)s"), "run", _lazy("Settled")),
    "put_aside": (_lazy("put aside: %(verb)s"), "run", _lazy("Done")),
    "succeeded": (_lazy("%(verb)s"), "run", _lazy("Done")),
    "failed": (_lazy("%(verb)s"), "bad", _lazy("Failed")),
    "not_done": (_lazy("%(verb)s"), "bad", _lazy("Did not happen")),
    "unclear": (_lazy("%(verb)s"), "check", _lazy("Please check")),
    "expired": (_lazy("%(verb)s"), "bad", _lazy("Not sent")),
    "cancelled": (_lazy("%(verb)s"), "off", _lazy("Not carried out")),
    "denied": (_lazy("was refused: %(verb)s"), "off", _lazy("Refused")),
}
RESULTS: dict[str, tuple[str, Any]] = {
    Outcome.OK: ("run", _lazy("Done")),
    Outcome.FAIL: ("bad", _lazy("Failed")),
    Outcome.DENIED: ("off", _lazy("Refused")),
}
KIND_WORDS: dict[str, Any] = {
    "machines": _lazy("Machines"),
    "approvals": _lazy("Approvals"),
    "people": _lazy("People and sign-ins"),
    "teams": _lazy("Teams and roles"),
    "keys": _lazy("Keys"),
    "accounts": _lazy("Provider accounts"),
    "record": _lazy("The record itself"),
    "refused": _lazy("Refusals"),
}


def told(entry: Entry) -> tuple[str, str, Any]:
    """(what happened, the look of its result, the result in a word)."""
    step = _step(entry)
    if step is not None:
        return step
    look, word = RESULTS.get(entry.outcome, ("unknown", entry.outcome))
    return str(WORDS.get(entry.code, entry.code)), look, word


def _step(entry: Entry) -> tuple[str, str, Any] | None:
    """Of an operation: "instance.delete.requested"."""
    room, _dot, rest = entry.code.partition(".")
    kind, _dot, what = rest.partition(".")
    action = table.of(kind)
    if room != "instance" or action is None or what not in STEPS:
        return None
    words, look, word = STEPS[what]
    return str(words) % {"verb": str(action.verb).lower()}, look, word


def changes(detail: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What was, and what is: (name, before, after), of what differs."""
    before, after = _part(detail, "before"), _part(detail, "after")
    names = dict.fromkeys([*before, *after])
    found = [(name, _text(before.get(name)), _text(after.get(name))) for name in names]
    return [(_name(name), old, new) for name, old, new in found if old != new]


def facts(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    rest = {name: value for name, value in detail.items() if name not in {"before", "after"}}
    return [(_name(name), _text(value)) for name, value in rest.items() if value not in ("", None, [], {})]


def _part(detail: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = detail.get(name)
    return found if isinstance(found, Mapping) else {}


def _name(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_text(one)}" for name, one in value.items()) or "–"
    return str(value)
