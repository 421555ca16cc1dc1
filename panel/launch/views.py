"""The page that launches machines: ready-made types and own sizes, what they cost, and which names are free."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cloud.models import Account
from cloud.operations.launches import NAMES
from cloud.operations.models import Operation
from panel.activity.queries import visible_operations
from panel.http import PanelRequest, asks
from panel.launch import names, services, shown
from panel.launch.forms import LaunchForm, OwnForm, ReadyForm
from panel.launch.offers import Catalogue
from panel.people.keys import own_keys
from panel.teams.models import Team
from panel.teams.policy import Permission

FORMS: dict[str, type[LaunchForm]] = {"launch": ReadyForm, "launch_custom": OwnForm}


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.INSTANCE_LAUNCH)
def ready(request: PanelRequest) -> HttpResponse:
    """A type as the provider offers it."""
    return _page(request, "launch")


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.INSTANCE_LAUNCH)
def own(request: PanelRequest) -> HttpResponse:
    """A size of one's own."""
    return _page(request, "launch_custom")


@require_safe
@asks(Permission.INSTANCE_LAUNCH)
def types(request: PanelRequest) -> HttpResponse:
    """The cards of types alone, narrowed by the chips or because capacity moved."""
    account = _account(request)
    if account is None:
        raise Http404
    catalogue = Catalogue(account)
    return render(request, "launch/_types.html", shown.types(catalogue, request.GET, _chosen(request)))


@require_safe
@asks(Permission.INSTANCE_LAUNCH)
def quote(request: PanelRequest) -> HttpResponse:
    """What the choice costs, and where there is room for it: read again while somebody chooses."""
    account = _account(request)
    if account is None:
        raise Http404
    kind = "launch_custom" if "vcpus" in request.GET else "launch"
    context = {"account": account, "kind": kind, **shown.quote(Catalogue(account), kind, request.GET)}
    return render(request, "launch/_quote.html", context)


@require_safe
@asks(Permission.INSTANCE_LAUNCH)
def name(request: PanelRequest) -> HttpResponse:
    """Is this name allowed, and free? While it is typed."""
    account, wanted = _account(request), request.GET.get("name", "").replace("\0", "").strip()[:200]
    if account is None:
        raise Http404
    fault = names.fault(wanted)
    if not fault and names.is_taken(account, wanted):
        fault = _("This name is taken in this account.")
    return render(request, "launch/_name.html", {"fault": fault, "is_free": not fault})


def _page(request: PanelRequest, kind: str) -> HttpResponse:
    account = _account(request)
    if account is None:
        return render(request, "launch/closed.html", {"kind": kind})
    catalogue, again = Catalogue(account), _again(request)
    saved = list(own_keys(request.actor.user_id or 0))
    if request.method == "POST":
        form = FORMS[kind](request.POST, catalogue=catalogue, saved=saved)
        if form.is_valid():
            answer = _launch(request, kind, form, again)
            if answer is not None:
                return answer
    else:
        initial = shown.initial(request.actor, catalogue, saved, again, request.GET)
        form = FORMS[kind](initial=initial, catalogue=catalogue, saved=saved)
    context = shown.page(request.actor, catalogue, kind, form, request.GET)
    context |= {"account": account, "accounts": list(_accounts()), "teams": list(_teams(request)), "again": again}
    return render(request, "launch/new.html", context, status=422 if form.is_bound else 200)


def _launch(request: PanelRequest, kind: str, form: LaunchForm, again: Operation | None) -> HttpResponse | None:
    """Write it down and go to its machine; None when it was refused, with the reason in the form."""
    teams = list(_teams(request))
    team = next((team for team in teams if str(team.pk) == request.POST.get("team", str(teams[0].pk))), None)
    if team is None:
        form.add_error(None, _("Choose one of your teams."))
        return None
    try:
        opened = services.request_launch(
            actor=request.actor,
            wanted=shown.wanted(kind, form, team),
            client_key=form.cleaned_data["key"],
            instead_of=again,
        )
    except services.Refused as error:
        form.add_error(error.field, error.words)
    except services.Taken:
        form.add_error("name", _("This name is promised to another machine."))
    except services.KeyReused:
        form.add_error(None, _("This form was sent before with other contents. Open it again."))
    else:
        return (
            redirect("fleet:detail", opened.row.target_id)
            if opened.row.target_id
            else redirect("activity:operation", opened.row.pk)
        )
    return None


def _accounts() -> QuerySet[Account]:
    return Account.objects.filter(is_enabled=True).order_by("is_sandbox", "name")


def _account(request: HttpRequest) -> Account | None:
    """The chosen account, else the first one; None when none is connected."""
    chosen = (request.POST or request.GET).get("account", "")
    rows = _accounts()
    if chosen.isdecimal() and len(chosen) < 19:
        rows = rows.filter(pk=int(chosen))
    return rows.first()


def _teams(request: PanelRequest) -> QuerySet[Team]:
    return Team.objects.filter(pk__in=request.actor.teams_with(Permission.INSTANCE_LAUNCH))


def _chosen(request: HttpRequest) -> str:
    return request.GET.get("instance_type", "")


def _again(request: PanelRequest) -> Operation | None:
    """The launch that did not come off and is asked for anew with the same inputs."""
    said = (request.POST or request.GET).get("again", "")
    try:
        pk = str(UUID(said)) if said else ""
    except ValueError:
        return None
    return visible_operations(request.actor).filter(pk=pk, kind__in=NAMES).first() if pk else None
