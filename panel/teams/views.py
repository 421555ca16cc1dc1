"""Teams: who belongs to them, who is invited, their keys, what takes a second person."""

from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from panel.http import PanelRequest, asks, asks_of_one, signed_in
from panel.people.forms import KeyForm
from panel.teams import invitations, keys, members, policy, rules, shown
from panel.teams.forms import InviteForm, RoleForm, RulesForm, TeamForm
from panel.teams.models import Invitation, Membership, Team
from panel.teams.policy import Permission

FORM = ["GET", "HEAD", "POST"]


@require_safe
@signed_in
def home(request: PanelRequest) -> HttpResponse:
    rows = shown.teams(request.actor, members.visible_teams(request.actor))
    may_create = policy.allowed(request.actor, Permission.TEAM_CREATE)
    return render(request, "teams/home.html", {"rows": rows, "may_create": may_create})


@require_http_methods(FORM)
@asks(Permission.TEAM_CREATE)
def new(request: PanelRequest) -> HttpResponse:
    form = TeamForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = members.create_team(actor=request.actor, name=form.cleaned_data["name"])
            return redirect("teams:team", made.pk)
        except members.Refused as error:
            form.add_error("name", error.words)
    return _form(request, "teams/new.html", form)


@require_safe
@asks_of_one(Permission.MEMBER_VIEW)
def team(request: PanelRequest, pk: int) -> HttpResponse:
    return render(request, "teams/team.html", shown.team(request.actor, _team(request, pk)))


@require_http_methods(FORM)
@asks_of_one(Permission.TEAM_RENAME)
def rename(request: PanelRequest, pk: int) -> HttpResponse:
    row = _team(request, pk, Permission.TEAM_RENAME)
    form = TeamForm(_sent(request), initial={"name": row.name})
    if request.method == "POST" and form.is_valid():
        try:
            members.rename_team(actor=request.actor, team=row, name=form.cleaned_data["name"])
            return redirect("teams:team", pk)
        except members.Refused as error:
            form.add_error("name", error.words)
    return _form(request, "teams/rename.html", form, team=row)


@require_http_methods(FORM)
@asks_of_one(Permission.TEAM_RULES)
def rules_of(request: PanelRequest, pk: int) -> HttpResponse:
    """What takes a second person."""
    row = _team(request, pk, Permission.TEAM_RULES)
    form = RulesForm(_sent(request), initial=shown.rules(row))
    if form.is_valid():
        kinds, cents = form.cleaned_data["kinds"], form.cents_per_hour
        rules.set_rules(actor=request.actor, team=row, kinds=kinds, cents_per_hour=cents)
        return redirect("teams:team", pk)
    return _form(request, "teams/rules.html", form, team=row, able=shown.approvers(row))


@require_http_methods(FORM)
@asks_of_one(Permission.MEMBER_INVITE)
def invite(request: PanelRequest, pk: int) -> HttpResponse:
    """Invite somebody; the link is shown once, on the page that answers."""
    row = _team(request, pk, Permission.MEMBER_INVITE)
    may_give = policy.grantable(request.actor, row)
    form = InviteForm(_sent(request), roles=may_give, initial={"role": shown.smallest(may_give)})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = invitations.invite(
                actor=request.actor, team=row, email=data["email"], role=data["role"], member_until=data["until"]
            )
        except members.Refused as error:
            form.add_error("email", error.words)
        else:
            return render(request, "teams/invited.html", {"team": row, "invitation": made.row, "link": made.link})
    return _form(request, "teams/invite.html", form, team=row, sentences=shown.in_words(may_give))


@require_POST
@asks_of_one(Permission.MEMBER_INVITE)
def withdraw(request: PanelRequest, pk: int) -> HttpResponse:
    seen = members.visible_teams(request.actor)
    row = get_object_or_404(Invitation.objects.select_related("team").filter(team__in=seen), pk=pk)
    invitations.withdraw(actor=request.actor, invitation=row)
    return redirect("teams:team", row.team_id)


@require_http_methods(FORM)
@asks_of_one(Permission.MEMBER_CHANGE)
def role(request: PanelRequest, pk: int) -> HttpResponse:
    member = _member(request, pk)
    policy.require(request.actor, Permission.MEMBER_CHANGE, member)
    may_give = policy.grantable(request.actor, member)
    until = member.ends_at and shown.last_day(member.ends_at)
    form = RoleForm(_sent(request), roles=may_give, initial={"role": member.role, "until": until})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            members.set_role(actor=request.actor, member=member, role=data["role"], ends_at=data["until"])
            return redirect("teams:team", member.team_id)
        except members.Refused as error:
            form.add_error("role", error.words)
    context = {"member": member, "team": member.team, "sentences": shown.in_words(may_give)}
    return _form(request, "teams/role.html", form, **context)


@require_http_methods(FORM)
@asks_of_one(Permission.MEMBER_REMOVE)
def remove(request: PanelRequest, pk: int) -> HttpResponse:
    member = _member(request, pk)
    policy.require(request.actor, Permission.MEMBER_REMOVE, member)
    return _ended(request, member, "teams/remove.html", members.remove)


@require_http_methods(FORM)
@signed_in
def leave(request: PanelRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(Membership.objects.select_related("team", "user"), pk=pk, user=request.actor.user_id)
    return _ended(request, member, "teams/leave.html", members.leave)


@require_http_methods(FORM)
@asks_of_one(Permission.KEY_MANAGE)
def add_key(request: PanelRequest, pk: int) -> HttpResponse:
    row = _team(request, pk, Permission.KEY_MANAGE)
    form = KeyForm(_sent(request))
    if form.is_valid():
        try:
            keys.add_key(actor=request.actor, team=row, **form.cleaned_data)
            return redirect("teams:team", pk)
        except keys.KeyRefused as refused:
            form.add_error(refused.field, refused.words)
    return _form(request, "teams/key_add.html", form, team=row)


@require_http_methods(FORM)
@asks_of_one(Permission.KEY_MANAGE)
def remove_key(request: PanelRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(keys.visible_keys(request.actor), pk=pk)
    policy.require(request.actor, Permission.KEY_MANAGE, key)
    if request.method != "POST":
        return render(request, "teams/key_remove.html", {"key": key, "team": key.team})
    keys.remove_key(actor=request.actor, key=key)
    return redirect("teams:team", key.team_id)


def _ended(request: PanelRequest, member: Membership, template: str, end: Any) -> HttpResponse:
    """The question before a membership ends, and its end."""
    context = {"member": member, "team": member.team, "trouble": ""}
    if request.method == "POST":
        try:
            end(actor=request.actor, member=member)
            return redirect("teams:home")
        except members.Refused as error:
            context["trouble"] = error.words
    return render(request, template, context, status=422 if context["trouble"] else 200)


def _form(request: PanelRequest, template: str, form: forms.Form, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.is_bound else 200)


def _sent(request: PanelRequest) -> QueryDict | None:
    """What was typed; None before anything was. An empty form that was sent is one with faults."""
    return request.POST if request.method == "POST" else None


def _team(request: PanelRequest, pk: int, permission: Permission = Permission.MEMBER_VIEW) -> Team:
    """A team that the actor sees, and in which they may do this."""
    row: Team = get_object_or_404(members.visible_teams(request.actor), pk=pk)
    policy.require(request.actor, permission, row)
    return row


def _member(request: PanelRequest, pk: int) -> Membership:
    rows = Membership.objects.select_related("team", "user").filter(team__in=members.visible_teams(request.actor))
    row: Membership = get_object_or_404(rows, pk=pk)
    return row
