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
from panel.launch.saved import saved_keys
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
    again = _again(request)
    account = _account(request, again)
    if account is None:
        return render(request, "launch/closed.html", {"is_other_left": _accounts().exists()}, status=_closed(request))
    catalogue = Catalogue(account)
    saved = saved_keys(request.actor)
    if request.method == "POST":
        form = FORMS[kind](request.POST, catalogue=catalogue, saved=saved)
        answer = _launch(request, kind, form, again) if form.is_valid() else _sent_before(request)
        if answer is not None:
            return answer
        _look_at_name(form, again)
    else:
        initial = shown.initial(request.actor, catalogue, saved, again, request.GET)
        form = FORMS[kind](initial=initial, catalogue=catalogue, saved=saved)
    context = shown.page(request.actor, catalogue, kind, form, request.GET)
    context |= {"account": account, "accounts": list(_accounts()), "teams": list(_teams(request)), "again": again}
    context["chosen_team"] = request.POST.get("team") or (str(again.team_id) if again else "")
    return render(request, "launch/new.html", context, status=422 if form.is_bound else 200)


def _launch(request: PanelRequest, kind: str, form: LaunchForm, again: Operation | None) -> HttpResponse | None:
    """Write it down and go to its machine; None when it was refused, with the reason in the form."""
    teams = list(_teams(request))
    team = next((team for team in teams if str(team.pk) == request.POST.get("team", str(teams[0].pk))), None)
    if team is None:
        form.add_error(None, _("Choose one of your teams."))
        return None
    if form.saved_used and form.saved_used.team_id not in {None, team.pk}:
        form.add_error("ssh", _("This key is another team's. Choose one of this team's, or one of your own."))
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
        return _to(opened.row)
    return None


def _look_at_name(form: LaunchForm, again: Operation | None) -> None:
    """All that is wrong is said at once: the name as well, which else only the service asks about."""
    name = form.cleaned_data.get("name")
    is_own = again is not None and again.params.get("name") == name
    if name and not is_own and names.is_taken(form.catalogue.account, name) and "name" not in form.errors:
        form.add_error("name", _("This name is taken in this account."))


def _sent_before(request: PanelRequest) -> HttpResponse | None:
    """The same form came again, and what was free for it then is not free now: it was launched all the same."""
    said = {"client_key": request.POST.get("key", ""), "params__name": request.POST.get("name", "").strip()}
    if any("\0" in value for value in said.values()):  # no form of ours, and PostgreSQL knows no such text
        return None
    row = Operation.objects.filter(actor_id=request.actor.user_id or 0, kind__in=NAMES, **said).first()
    return _to(row) if row else None


def _to(row: Operation) -> HttpResponse:
    """The machine's page; without a machine, the page that says why there is none."""
    return redirect("fleet:detail", row.target_id) if row.target_id else redirect("activity:operation", row.pk)


def _closed(request: HttpRequest) -> int:
    return 409 if request.method == "POST" else 200


def _accounts() -> QuerySet[Account]:
    return Account.objects.filter(is_enabled=True).order_by("is_sandbox", "name")


def _account(request: HttpRequest, again: Operation | None = None) -> Account | None:
    """The chosen account, else that of the earlier launch, else the first one; None when it is not connected."""
    chosen = (request.POST or request.GET).get("account", "")
    rows = _accounts()
    if chosen.isdecimal() and len(chosen) < 19:
        return rows.filter(pk=int(chosen)).first()
    return rows.filter(pk=again.account_id).first() if again else rows.first()


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
