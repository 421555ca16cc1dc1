"""What can be launched, from the cache: order, memory of the cards, own sizes reckoned, what is free instead."""

import pytest

from cloud.gpus import one_name
from cloud.models import Account, InstanceType, Template
from panel.launch.offers import Catalogue

pytestmark = pytest.mark.usefixtures("catalogue")


def test_what_is_cheap_comes_first_whether_or_not_there_is_room(account: Account) -> None:
    offers = Catalogue(account).offers
    assert [offer.label for offer in offers] == ["CPU", "1× A4000", "1× A5000", "1× RTX 8000"]
    assert [offer.memory for offer in offers] == ["no GPU", "16 GB", "24 GB", "48 GB"]
    assert offers[1].where == "Wilmington"


def test_the_usual_image_has_drivers_where_there_is_a_card(account: Account) -> None:
    catalogue = Catalogue(account)
    images = [catalogue.usual_image(has_gpu) for has_gpu in (True, False)]
    assert [image.name for image in images if image] == ["UBUNTU-22-04-NV", "UBUNTU-22-04"]


def test_without_a_fitting_image_none_is_chosen(account: Account) -> None:
    Template.objects.filter(has_nvidia=True).delete()
    assert Catalogue(account).usual_image(has_gpu=True) is None


@pytest.mark.parametrize(
    ("asked", "cents"),
    [
        ((4, 16, 0, ""), 6),  # as the listed one
        ((8, 32, 1, "A4000"), 20),
        ((16, 64, 2, "A4000"), 40),
        ((8, 64, 1, "A4000"), 32),  # twice the memory pays for the cores that go with it
        ((8, 32, 1, "H100"), None),  # nobody lists it
    ],
)
def test_an_own_size_is_reckoned_from_the_listed_types(
    account: Account, asked: tuple[int, int, int, str], cents: int | None
) -> None:
    assert Catalogue(account).estimate(*asked) == cents


def test_without_a_listed_price_nothing_is_reckoned(account: Account) -> None:
    InstanceType.objects.filter(gpu_count=0).delete()
    assert Catalogue(account).estimate(8, 32, 0, "") is None


def test_in_the_place_of_what_is_full_comes_the_same_elsewhere_then_what_is_near(account: Account) -> None:
    found = Catalogue(account).instead("v1_gpu_1x_a5000", "igl")
    assert [(offer.label, region.code) for offer, region in found] == [("1× A5000", "phl"), ("1× A4000", "igl")]
    assert Catalogue(account).instead("unheard of", "igl") == []


def test_several_spellings_of_a_card_are_one_card() -> None:
    assert one_name(("RTX A6000", "NVIDIA RTX A6000")) == "RTX A6000"
    assert one_name(("A4000", "A5000")) == "A4000, A5000"
    assert one_name(()) == ""
