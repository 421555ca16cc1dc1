"""What can be launched now, from the cache: types with prices and room, regions, images, what an own size costs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from cloud.gpus import short_name, vram_gb
from cloud.models import Account, InstanceType, Refresh, Template, type_label
from panel.money import a_month, dollars

# In the place of an image's name: what suits the type, or one of the person's own by its address.
USUAL, ISO = "usual", "iso"
SHARE_GIB = 4  # of memory that goes with a core: what asks for more pays as if it had the cores


@dataclass(frozen=True)
class Region:
    """Where machines run: `code` is what a launch takes, `name` what a machine reports ("Wilmington")."""

    code: str
    name: str
    words: str


@dataclass(frozen=True)
class Offer:
    """One type: what it is, what it costs, and in which regions there is room for it now."""

    type: InstanceType
    regions: Sequence[Region]

    @property
    def name(self) -> str:
        return self.type.name

    @property
    def label(self) -> str:
        return type_label(self.type.gpu_count, self.type.gpu_model) or self.type.name

    @property
    def vram_gb(self) -> int:
        """Of all its cards together; 0 without any, and for cards that nobody has looked up."""
        is_gpu = self.type.gpu_model and self.type.gpu_count
        return (vram_gb(self.type.gpu_model, self.type.gpu_count or 1) or 0) if is_gpu else 0

    @property
    def memory(self) -> str:
        """Of the cards, in words."""
        if not self.type.gpu_count:
            return _("no GPU")
        return f"{self.vram_gb} GB" if self.vram_gb else ""

    @property
    def size(self) -> str:
        """ "8 vCPU · 32 GiB · 250 GiB": cores, memory, disk."""
        parts = (
            f"{self.type.vcpus} vCPU" if self.type.vcpus else "",
            f"{self.type.memory_gib:g} GiB" if self.type.memory_gib else "",
            f"{self.type.storage_gib:g} GiB" if self.type.storage_gib else "",
        )
        return " · ".join(part for part in parts if part)

    @property
    def where(self) -> str:
        """ "Wilmington and Philadelphia"."""
        *first, last = [region.name for region in self.regions] or [""]
        return _("%(some)s and %(last)s") % {"some": ", ".join(first), "last": last} if first else last

    @property
    def cents(self) -> int | None:
        return self.type.price_cents_per_hour

    def has_room(self, code: str) -> bool:
        return any(region.code == code for region in self.regions)


class Catalogue:
    """What one account can launch. Each part is read when it is first asked for, and once."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @cached_property
    def offers(self) -> list[Offer]:
        """By price, whether or not there is room: cards that changed places would be clicked by mistake."""
        found = [Offer(row, _regions(row.regions)) for row in InstanceType.objects.filter(account=self.account)]
        return sorted(found, key=lambda one: (one.cents or 10**9, one.label))

    @cached_property
    def regions(self) -> list[Region]:
        """Every region that has room for anything."""
        found = {region.code: region for offer in self.offers for region in offer.regions}
        return sorted(found.values(), key=lambda region: region.words)

    @cached_property
    def images(self) -> list[Template]:
        return list(Template.objects.filter(account=self.account).order_by("label", "name"))

    @cached_property
    def models(self) -> list[str]:
        """Names of the cards, as people say them."""
        return sorted({short_name(offer.type.gpu_model) for offer in self.offers if offer.type.gpu_model})

    @cached_property
    def read_at(self) -> datetime | None:
        part = Refresh.objects.filter(account=self.account, part=Refresh.Part.CATALOGUE).first()
        return part.done_at if part else None

    def offer(self, name: str) -> Offer | None:
        return next((offer for offer in self.offers if offer.name == name), None)

    def region(self, code: str) -> Region | None:
        return next((region for region in self.regions if region.code == code), None)

    def image(self, name: str) -> Template | None:
        return next((image for image in self.images if image.name == name), None)

    def usual_image(self, has_gpu: bool) -> Template | None:
        """What the provider itself would take: an Ubuntu, with drivers where there is a card."""
        fitting = [image for image in self.images if bool(image.has_nvidia) == has_gpu and not is_windows(image)]
        ubuntu = [image for image in fitting if "ubuntu" in image.name.lower()]
        return next(iter([*ubuntu, *fitting]), None)

    def instead(self, name: str, region: str) -> list[tuple[Offer, Region]]:
        """What is free now in the place of what was not: the same elsewhere, then what is near in price."""
        wanted = self.offer(name)
        if wanted is None:
            return []
        elsewhere = [(wanted, other) for other in wanted.regions if other.code != region]
        near = sorted(
            (offer for offer in self.offers if offer.regions and offer.name != name and _is_kin(offer, wanted)),
            key=lambda offer: abs((offer.cents or 0) - (wanted.cents or 0)),
        )
        return (elsewhere + [(offer, _nearest(offer, region)) for offer in near])[:3]

    def estimate(self, vcpus: int, memory_gib: int, gpu_count: int, gpu_model: str) -> int | None:
        """Cents an hour of an own size, reckoned from the listed types; None when they do not say enough."""
        core = self._cents_a_core
        if core is None:
            return None
        cards = 0.0
        if gpu_count:
            one = self._one_card(gpu_model)
            if one is None or one.cents is None:
                return None
            cards = max(one.cents - core * _cores(one.type.vcpus, one.type.memory_gib), 0.25 * one.cents) * gpu_count
        return round(core * _cores(vcpus, memory_gib) + cards)

    @property
    def _cents_a_core(self) -> float | None:
        plain = [offer for offer in self.offers if not offer.type.gpu_count and offer.cents and offer.type.vcpus]
        shares = [(offer.cents or 0) / _cores(offer.type.vcpus, offer.type.memory_gib) for offer in plain]
        return min(shares, default=None)

    def _one_card(self, model: str) -> Offer | None:
        ones = (offer for offer in self.offers if offer.type.gpu_count == 1)
        return next((offer for offer in ones if short_name(offer.type.gpu_model) == model), None)


def price_of(account: Account, kind: str, params: Mapping[str, Any]) -> int | None:
    """What a launch with these inputs costs an hour now, in cents; of an own size as it is reckoned. None: unknown."""
    catalogue = Catalogue(account)
    if kind == "launch":
        offer = catalogue.offer(str(params.get("instance_type", "")))
        return offer.cents if offer else None
    return catalogue.estimate(
        int(params["vcpus"]), int(params["memory_gib"]), int(params["gpu_count"]), str(params.get("gpu_model") or "")
    )


def price_words(cents: int | None, *, is_estimate: bool = False) -> tuple[str, str]:
    """(an hour, a month of 730 hours), with the sign of an estimate where it is one."""
    sign = "≈ " if is_estimate and cents is not None else ""
    return f"{sign}{dollars(cents)}", f"{sign}{dollars(a_month(cents))}"


def is_windows(image: Template) -> bool:
    return "win" in f"{image.os_type} {image.name}".lower()


def _regions(rows: Iterable[dict[str, Any]]) -> list[Region]:
    found = (
        _region(str(row.get("code") or ""), str(row.get("place") or ""), str(row.get("name") or "")) for row in rows
    )
    return [region for region in found if region.code]


def _region(code: str, place: str, name: str) -> Region:
    words = place or name or code
    return Region(code, words.partition(",")[0], words)


def _cores(vcpus: int | None, memory_gib: float | None) -> float:
    return max(float(vcpus or 1), (memory_gib or 0.0) / SHARE_GIB)


def _is_kin(offer: Offer, wanted: Offer) -> bool:
    return bool(offer.type.gpu_count) == bool(wanted.type.gpu_count)


def _nearest(offer: Offer, code: str) -> Region:
    return next((region for region in offer.regions if region.code == code), offer.regions[0])
