"""A person's own SSH keys on their page: added, shown, removed, on the record; nobody else's."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils.html import escape

from cloud.clock import system_clock
from panel.audit.models import Entry
from panel.people import keys
from panel.people.models import SshKey, User
from panel.people.ssh_keys import checked
from panel.teams.policy import NOBODY, Actor
from tests.panel.people.made import ed25519

ADD = "/you/keys/add/"
PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n-----END OPENSSH PRIVATE KEY-----\n"


def actor(user: User) -> Actor:
    return Actor(user.pk, user.email)


def add(client: Client, key: str, name: str = "") -> str:
    """The page that is shown at the end."""
    return client.post(ADD, {"name": name, "key": key}, follow=True).content.decode()


@pytest.fixture
def olgas(olga: User) -> SshKey:
    return keys.add_key(actor=actor(olga), name="laptop", key=checked(ed25519()))


def test_a_key_is_added_and_stands_on_the_page_and_on_the_record(as_olga: Client, olga: User) -> None:
    page = add(as_olga, f"{ed25519()}\r\n", "My laptop")
    key = keys.own_keys(olga.pk).get()
    assert (key.name, key.line, key.last_used_at) == ("My laptop", ed25519(), None)
    for shown in ("My laptop", key.short, "The SSH key is added."):
        assert shown in page
    row = Entry.objects.get()
    assert (row.code, row.actor_id, row.target_label) == ("person.ssh_key.added", olga.pk, "My laptop")
    assert row.details == {"name": "My laptop", "fingerprint": key.fingerprint, "kind": "ssh-ed25519"}


def test_a_key_without_a_name_is_called_after_its_comment(as_olga: Client, olga: User) -> None:
    for seed, comment in (("1", "olga@laptop"), ("2", "olga@laptop"), ("3", ""), ("4", "")):
        add(as_olga, ed25519(seed, comment))
    assert [key.name for key in keys.own_keys(olga.pk)] == ["key", "key 2", "olga@laptop", "olga@laptop 2"]


@pytest.mark.parametrize("field", ["key", "name"])
@pytest.mark.parametrize("text", [PRIVATE, "b3BlbnNz" + "x" * 62, PRIVATE + "\0"])
def test_a_private_key_is_refused_and_never_sent_back(as_olga: Client, field: str, text: str) -> None:
    kept = {"name": "My laptop", "key": ed25519(comment="")}
    response = as_olga.post(ADD, kept | {field: text})
    page = response.content.decode()
    assert response.status_code == 422
    assert "This is a private key." in page
    assert "b3BlbnNz" not in page
    assert "PRIVATE KEY" not in page
    (other,) = set(kept) - {field}
    assert escape(kept[other]) in page
    assert not SshKey.objects.exists()
    assert not Entry.objects.exists()


def test_a_long_private_key_as_the_name_is_not_sent_back_either(as_olga: Client) -> None:
    page = as_olga.post(ADD, {"name": PRIVATE * 3, "key": ed25519()}).content.decode()
    assert "This is a private key." in page
    assert "b3BlbnNz" not in page


def test_what_was_typed_is_kept_and_the_error_stands_beside_its_field(as_olga: Client) -> None:
    page = as_olga.post(ADD, {"name": "My laptop", "key": "ssh-ed25519 nonsense"}).content.decode()
    assert 'value="My laptop"' in page
    assert "ssh-ed25519 nonsense</textarea>" in page
    assert 'id="id_key_error"' in page
    assert "The key is damaged" in page


def test_the_same_key_and_the_same_name_are_refused_with_words(as_olga: Client, olgas: SshKey) -> None:
    assert "You have this key already. It is called laptop." in add(as_olga, ed25519(comment="other words"))
    assert "You have another key of this name." in add(as_olga, ed25519("another"), "laptop")
    assert SshKey.objects.get() == olgas


def test_two_people_may_have_one_key(as_vera: Client, vera: User, olgas: SshKey) -> None:
    add(as_vera, olgas.line, olgas.name)
    assert keys.own_keys(vera.pk).get().fingerprint == olgas.fingerprint


def test_nobody_has_more_than_fifty(as_olga: Client, olga: User) -> None:
    now = system_clock()
    SshKey.objects.bulk_create(
        SshKey(user=olga, name=str(n), line=ed25519(), fingerprint=str(n), created_at=now) for n in range(50)
    )
    assert "which is the most" in add(as_olga, ed25519())
    assert SshKey.objects.count() == keys.MOST_KEYS


def test_a_key_is_removed_after_a_question(as_olga: Client, olgas: SshKey, olga: User) -> None:
    address = f"/you/keys/{olgas.pk}/remove/"
    assert "Remove laptop?" in as_olga.get(address).content.decode()
    assert SshKey.objects.exists()
    assert "The SSH key is removed." in as_olga.post(address, follow=True).content.decode()
    assert not SshKey.objects.exists()
    row = Entry.objects.order_by("sequence").last()
    assert row
    assert (row.code, row.target_label, row.details["fingerprint"]) == (
        "person.ssh_key.removed",
        "laptop",
        olgas.fingerprint,
    )
    assert as_olga.post(address).status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_elses_key_does_not_exist(as_vera: Client, as_stan: Client, olgas: SshKey, method: str) -> None:
    for client in (as_vera, as_stan):
        assert getattr(client, method)(f"/you/keys/{olgas.pk}/remove/").status_code == 404
        assert "laptop" not in client.get("/you/").content.decode()
    assert SshKey.objects.get() == olgas


def test_the_service_itself_touches_only_ones_own(olgas: SshKey, vera: User) -> None:
    keys.remove_key(actor=actor(vera), key=olgas)
    keys.mark_used(user_id=vera.pk, key_id=olgas.pk, at=system_clock())
    assert SshKey.objects.get().last_used_at is None
    assert Entry.objects.count() == 1
    with pytest.raises(PermissionDenied):
        keys.add_key(actor=NOBODY, name="", key=checked(ed25519()))


def test_a_launch_says_that_the_key_was_used(as_olga: Client, olga: User, olgas: SshKey) -> None:
    assert "not used yet" in as_olga.get("/you/").content.decode()
    keys.mark_used(user_id=olga.pk, key_id=olgas.pk, at=system_clock())
    assert "last used" in as_olga.get("/you/").content.decode()


def test_a_name_cannot_carry_markup(as_olga: Client) -> None:
    page = add(as_olga, ed25519(comment=""), "<img src=x>")
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page
