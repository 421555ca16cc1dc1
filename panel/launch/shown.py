"""The launch page in words and values: cards, chips, what it costs; and from a form to what is wanted."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from cloud.models import Account, Instance, Template
from cloud.operations.kinds import KINDS
from cloud.operations.launches import NAMES as LAUNCHES
from cloud.operations.models import Operation
from cloud.operations.states import OPEN, State
from panel.actions.forms import new_key
from panel.actions.shown import usual_s
from panel.launch import names
from panel.launch.forms import PASTED, LaunchForm
from panel.launch.offers import ISO, USUAL, Catalogue, Offer, Region, is_windows, price_words
from panel.launch.saved import SavedKey
from panel.launch.services import Wanted
from panel.teams.models import Team
from panel.teams.policy import Actor

MEMORIES = (16, 24, 48, 96)  # GB of the cards together, as the chips offer them
SIZES = ("vcpus", "memory_gib", "storage_gib", "gpu_count")
Asked = Mapping[str, str]


def page(actor: Actor, catalogue: Catalogue, kind: str, form: LaunchForm, asked: Asked) -> dict[str, Any]:
    """Everything that the page shows for a form, as it was opened or as it was typed."""
    typed = {name: str(form[name].value() or "") for name in form.fields}
    chosen = typed.get("instance_type", "")
    return {
        "form": form,
        "kind": kind,
        "typed": typed,
        "saved": [(key.token, key.name, key.short, key.whose) for key in form.saved],
        "pasted": PASTED,
        "iso": ISO,
        "usual": USUAL,
        "images": [(image, is_windows(image)) for image in catalogue.images],
        "models": catalogue.models,
        "read_at": catalogue.read_at,
        **types(catalogue, asked, chosen),
        **quote(catalogue, kind, typed),
    }


def types(catalogue: Catalogue, asked: Asked, chosen: str) -> dict[str, Any]:
    """The cards, narrowed by the chips; the chosen one stays in sight. Each card: (offer, is_chosen, hour, month)."""
    least = asked.get("vram", "")
    least_gb = int(least) if least.isdecimal() and len(least) < 5 else 0
    is_free_only = asked.get("free") == "1"
    cards = [
        (offer, offer.name == chosen, *price_words(offer.cents))
        for offer in catalogue.offers
        if (offer.vram_gb >= least_gb and (offer.regions or not is_free_only)) or offer.name == chosen
    ]
    most = max((offer.vram_gb for offer in catalogue.offers), default=0)
    memories = [(_("any"), "")] + [(_("%(n)d GB and more") % {"n": n}, str(n)) for n in MEMORIES if n <= most]
    chips = [
        (
            words,
            _address(catalogue.account, vram=value, free="1" if is_free_only else ""),
            value == (least if least_gb else ""),
        )
        for words, value in memories
    ]
    free = (_("free now"), _address(catalogue.account, vram=least, free="" if is_free_only else "1"), is_free_only)
    return {
        "account": catalogue.account,
        "cards": cards,
        "chips": [*chips, free],
        "all_types": len(catalogue.offers),
        "here": _address(catalogue.account, vram=least, free="1" if is_free_only else ""),
    }


def _address(account: Account, **asked: str) -> str:
    return f"?{urlencode({'account': account.pk} | {name: value for name, value in asked.items() if value})}"


def quote(catalogue: Catalogue, kind: str, asked: Asked) -> dict[str, Any]:
    """What the choice costs and where there is room for it."""
    offer = catalogue.offer(asked.get("instance_type", "")) if kind == "launch" else None
    cents, label = (offer.cents, offer.label) if offer else (None, "")
    if kind != "launch":
        cents, label = _own_size(catalogue, asked)
    hour, month = price_words(cents, is_estimate=kind != "launch")
    places = [(region, offer is None or offer.has_room(region.code)) for region in catalogue.regions]
    chosen = asked.get("region", "")
    region = catalogue.region(chosen)
    return {
        "label": label,
        "hour": hour,
        "month": month,
        "has_price": cents is not None,
        "is_estimate": kind != "launch",
        "places": places,
        "region": chosen,
        "region_name": region.name if region else "",
        "is_full": bool(offer and region and not offer.has_room(chosen)),
        "offer": offer,
        "has_gpu": bool(offer.type.gpu_count) if offer else _number(asked, "gpu_count") > 0,
        "usual_s": usual_s(Operation(account=catalogue.account, kind=kind)),
    }


def _own_size(catalogue: Catalogue, asked: Asked) -> tuple[int | None, str]:
    vcpus, memory, storage, cards = (_number(asked, name) for name in SIZES)
    model = asked.get("gpu_model", "")
    parts = [f"{cards}× {model}"] if cards and model in catalogue.models else []
    label = " · ".join([*parts, f"{vcpus} vCPU", f"{memory} GiB", f"{storage} GiB"])
    is_sane = 0 < vcpus <= 256 and 0 < memory <= 2048 and cards <= 8
    return catalogue.estimate(vcpus, memory, cards, model) if is_sane else None, label


def _number(asked: Asked, name: str) -> int:
    text = asked.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0


def initial(
    actor: Actor, catalogue: Catalogue, saved: list[SavedKey], again: Operation | None, asked: Asked
) -> dict[str, Any]:
    """What a form is opened with: of an earlier launch its inputs, else what suits most."""
    first = next((offer for offer in catalogue.offers if offer.regions), None)
    start: dict[str, Any] = {
        "key": new_key(),
        "name": names.proposal(actor, catalogue.account),
        "instance_type": first.name if first else "",
        "region": first.regions[0].code if first else "",
        "ssh": saved[0].token if saved else PASTED,
        "gpu_model": catalogue.models[0] if catalogue.models else "",
    }
    if again is not None:
        start |= _same(again, saved)
    start |= {name: asked[name] for name in ("instance_type", "region") if asked.get(name)}
    return {"image": USUAL} | start


def _same(again: Operation, saved: list[SavedKey]) -> dict[str, Any]:
    params = again.params
    line = params.get("ssh_key", "")
    mine = next((key for key in saved if key.line == line), None)
    labels = "\n".join(f"{name}={value}" for name, value in (params.get("metadata") or {}).items())
    same = {
        name: params[name]
        for name in (*SIZES, "gpu_model", "name", "region", "instance_type", "iso_url")
        if name in params
    }
    return same | {
        "again": again.pk,
        "image": ISO if params.get("iso_url") else params.get("template_name", USUAL),
        "username": params.get("username", ""),
        "ssh": mine.token if mine else PASTED,
        "public_key": "" if mine else line,
        "labels": labels,
    }


# --- from the form to what is wanted ---------------------------------------------------------------------------------


def wanted(kind: str, form: LaunchForm, team: Team) -> Wanted:
    """A valid form as the service takes it."""
    data, catalogue = form.cleaned_data, form.catalogue
    region = catalogue.region(data["region"])
    image = _chosen_image(kind, form)
    params = {"name": data["name"], "region": data["region"], "template_name": image.name if image else ""}
    shows: dict[str, Any] = {"region": region.name if region else data["region"], **_image(image, data["image"] == ISO)}
    if kind == "launch":
        offer = catalogue.offer(data["instance_type"])
        params |= {"instance_type": data["instance_type"]} | _access(form, image)
        shows |= {"username": params.get("username", "")} | (_of_type(offer) if offer else {})
    else:
        params |= {name: data[name] for name in SIZES}
        params |= {"gpu_model": data["gpu_model"] if data["gpu_count"] else ""}
        shows |= _of_size(catalogue, data)
    return Wanted(
        kind=KINDS[kind],
        account=catalogue.account,
        team=team,
        params=params,
        shows=shows,
        key=form.key_used,
        saved_key=form.saved_used,
        password=data.get("password", "") if "username" in params else "",
        labels=data["labels"],
    )


def _chosen_image(kind: str, form: LaunchForm) -> Template | None:
    """None for an ISO, and when nothing that is offered suits: then the provider takes its own."""
    data, catalogue = form.cleaned_data, form.catalogue
    if data["image"] != USUAL:
        return catalogue.image(data["image"])
    offer = catalogue.offer(data["instance_type"]) if kind == "launch" else None
    return catalogue.usual_image(bool(offer.type.gpu_count) if offer else data.get("gpu_count", 0) > 0)


def _access(form: LaunchForm, image: Template | None) -> dict[str, str]:
    """User name and ISO where they count: a field that was filled and then hidden is not sent."""
    data = form.cleaned_data
    is_iso = data["image"] == ISO
    if not is_iso and (image is None or not is_windows(image)):
        return {}
    return {"username": data["username"]} | ({"iso_url": data["iso_url"].strip()} if is_iso else {})


def _image(image: Template | None, is_iso: bool) -> dict[str, str]:
    if image is None:
        return {"template_label": _("Own ISO image")} if is_iso else {}
    return {"template_name": image.name, "template_label": image.label, "os_type": image.os_type}


def _of_type(offer: Offer) -> dict[str, Any]:
    row = offer.type
    return {
        "type_name": row.name,
        "cpu_cores": row.vcpus,
        "memory_gib": row.memory_gib,
        "storage_gib": row.storage_gib,
        "gpu_count": row.gpu_count,
        "gpu_model": row.gpu_model,
        "price_cents_per_hour": row.price_cents_per_hour,
    }


def _of_size(catalogue: Catalogue, data: Mapping[str, Any]) -> dict[str, Any]:
    """Without a price: the real one comes with the machine, and an estimate must not stand among prices."""
    return {
        "type_name": "custom",
        "cpu_cores": data["vcpus"],
        "memory_gib": data["memory_gib"],
        "storage_gib": data["storage_gib"],
        "gpu_count": data["gpu_count"],
        "gpu_model": data["gpu_model"] if data["gpu_count"] else "",
    }


def making(instance: Instance, row: Operation | None) -> dict[str, Any]:
    """What the page of a machine that is being made, or could not be, says besides its steps."""
    is_launch = row is not None and row.kind in LAUNCHES
    if not is_launch or row is None:
        return {"preparing": _preparing(instance)}
    return {
        "making": row.state in OPEN and instance.is_awaited,
        "is_gpu": bool(instance.gpu_count) and not is_windows_machine(instance),
        "instead": instead(row) if row.state == State.FAILED and instance.is_awaited else [],
    }


def _preparing(instance: Instance) -> bool:
    return instance.prepares_until is not None and instance.power == Instance.Power.RUNNING


def is_windows_machine(instance: Instance) -> bool:
    return instance.os_type.lower().startswith("win")


def instead(row: Operation) -> list[tuple[str, str]]:
    """What is free now in the place of a launch that found no room: (words, the address's end)."""
    if row.kind != "launch":
        return []
    found = Catalogue(row.account).instead(row.params.get("instance_type", ""), row.params.get("region", ""))
    return [(_instead_words(offer, region), _instead_address(row, offer, region)) for offer, region in found]


def _instead_words(offer: Offer, region: Region) -> str:
    return f"{offer.label}, {region.name}, {price_words(offer.cents)[0]}"


def _instead_address(row: Operation, offer: Offer, region: Region) -> str:
    return f"?{urlencode({'again': row.pk, 'instance_type': offer.name, 'region': region.code})}"
