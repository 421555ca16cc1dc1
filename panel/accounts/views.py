"""Settings: provider accounts and their keys."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud.models import Account, Refresh
from panel.accounts import services, shown
from panel.accounts.forms import AccountForm, KeyForm, MissingForm
from panel.fleet.queries import visible_instances
from panel.http import PanelRequest, asks, page_or_part
from panel.teams.policy import Permission


def _accounts() -> QuerySet[Account]:
    return Account.objects.order_by("-is_enabled", "name").prefetch_related("refreshes")


@require_safe
@asks(Permission.ACCOUNT_VIEW)
def accounts(request: PanelRequest) -> HttpResponse:
    rows = [(account, _refresh(account, Refresh.Part.INSTANCES), shown.standing(account)) for account in _accounts()]
    return page_or_part(request, "accounts/list.html", {"accounts": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.ACCOUNT_MANAGE)
def add(request: PanelRequest) -> HttpResponse:
    form = AccountForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/add.html", {"form": form}, status=_status(request))
    services.add_account(actor=request.actor, **form.cleaned_data)
    return redirect("accounts:list")


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.ACCOUNT_MANAGE)
def replace_key(request: PanelRequest, pk: int) -> HttpResponse:
    account = get_object_or_404(Account, pk=pk)
    form = KeyForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "account": account}
        return render(request, "accounts/replace_key.html", context, status=_status(request))
    services.replace_key(actor=request.actor, account=account, key=form.cleaned_data["key"])
    return redirect("accounts:list")


@require_POST
@asks(Permission.ACCOUNT_MANAGE)
def test(request: PanelRequest, pk: int) -> HttpResponse:
    services.test_account(actor=request.actor, account=get_object_or_404(Account, pk=pk))
    return redirect("accounts:list")


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.ACCOUNT_MANAGE)
def disable(request: PanelRequest, pk: int) -> HttpResponse:
    account = get_object_or_404(Account, pk=pk)
    if request.method != "POST":
        return render(request, "accounts/disable.html", {"account": account})
    services.set_enabled(actor=request.actor, account=account, is_enabled=False)
    return redirect("accounts:list")


@require_POST
@asks(Permission.ACCOUNT_MANAGE)
def enable(request: PanelRequest, pk: int) -> HttpResponse:
    services.set_enabled(actor=request.actor, account=get_object_or_404(Account, pk=pk), is_enabled=True)
    return redirect("accounts:list")


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.ACCOUNT_MANAGE)
def confirm_missing(request: PanelRequest, pk: int) -> HttpResponse:
    account = get_object_or_404(Account, pk=pk)
    form = MissingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.confirm_missing(actor=request.actor, account=account, until=form.cleaned_data["until"])
        return redirect("accounts:list")
    missing = list(account.instances.present().exclude(missing_since=None).defer("raw", "search").order_by("name"))
    seen = {row.pk for row in missing} & set(visible_instances(request.actor).values_list("pk", flat=True))
    context = {
        "account": account,
        "missing": [row for row in missing if row.pk in seen],
        "others": len(missing) - len(seen),
        "until": max((row.missing_since for row in missing if row.missing_since), default=None),
    }
    return render(request, "accounts/confirm_missing.html", context, status=_status(request))


def _refresh(account: Account, part: Refresh.Part) -> Refresh | None:
    return next((row for row in account.refreshes.all() if row.part == part), None)


def _status(request: PanelRequest) -> int:
    return 422 if request.method == "POST" else 200
