"""The door: sign-in, the lock against guessing, and a new password by mail."""

import re

import pytest
from django.core import mail
from django.test import Client, RequestFactory

from cloud.clock import system_clock
from panel.people import lockout
from panel.people.models import SignInFailures, User
from tests.fixtures import PASSWORD
from tests.support.processes import eventually


def try_to(client: Client, password: str, email: str = "olga@example.org", address: str = "198.51.100.9") -> int:
    response = client.post("/sign-in/", {"login": email, "password": password}, REMOTE_ADDR=address)
    return response.status_code


def test_the_right_password_opens_the_page_that_was_wanted(olga: User, client: Client) -> None:
    response = client.post("/sign-in/?next=/provider-tasks/", {"login": " OLGA@example.org ", "password": PASSWORD})
    assert response.status_code == 302
    assert response["Location"] == "/provider-tasks/"


def test_a_page_elsewhere_is_never_the_next_one(olga: User, client: Client) -> None:
    response = client.post("/sign-in/?next=https://evil.test/", {"login": "olga@example.org", "password": PASSWORD})
    assert response["Location"] == "/"


def test_a_wrong_password_and_an_unknown_person_look_the_same(olga: User, client: Client) -> None:
    pages = [
        client.post("/sign-in/", {"login": login, "password": "wrong"}).content.decode()
        for login in ("olga@example.org", "nobody@example.org")
    ]
    texts = [re.findall(r'role="alert">.*?</div></div>', page, re.DOTALL) for page in pages]
    assert texts[0] == texts[1] != []


def test_ten_wrong_tries_close_the_door_even_for_the_right_password(olga: User) -> None:
    for number in range(lockout.TRIES_ACCOUNT):
        assert try_to(Client(), "wrong", address=f"203.0.113.{number}") == 200
    assert try_to(Client(), PASSWORD, address="203.0.113.77") == 200
    page = Client().post("/sign-in/", {"login": "olga@example.org", "password": PASSWORD}).content.decode()
    assert "Wait five minutes" in page


def test_the_lock_ends_by_itself(olga: User) -> None:
    for _number in range(lockout.TRIES_ACCOUNT):
        try_to(Client(), "wrong")
    for row in SignInFailures.objects.all():
        row.since -= lockout.WINDOW
        row.save()
    assert try_to(Client(), PASSWORD) == 302


def test_a_stranger_cannot_lock_out_a_browser_that_was_here_before(olga: User) -> None:
    known = Client()
    assert try_to(known, PASSWORD) == 302
    known.post("/sign-out/")
    for number in range(lockout.TRIES_ACCOUNT + 5):
        try_to(Client(), "wrong", address=f"203.0.113.{number}")
    assert try_to(known, PASSWORD) == 302


def test_a_forged_device_cookie_buys_no_tries(olga: User) -> None:
    for number in range(lockout.TRIES_ACCOUNT):
        forged = Client()
        forged.cookies[lockout.COOKIE] = f"{number}:forged"
        try_to(forged, "wrong")
    assert try_to(Client(), PASSWORD) == 200


def test_one_network_cannot_try_many_people(db: None) -> None:
    try_to(Client(), "wrong", email="1@example.org", address="2001:db8::1")
    assert SignInFailures.objects.filter(key__startswith="block:").update(count=lockout.TRIES_BLOCK - 1) == 1
    assert try_to(Client(), "wrong", email="2@example.org", address="2001:db8::2") == 200
    page = (
        Client()
        .post("/sign-in/", {"login": "new@example.org", "password": "wrong"}, REMOTE_ADDR="2001:db8::ffff")
        .content.decode()
    )
    assert "Wait five minutes" in page


def test_a_new_password_by_mail_works_once_and_ends_old_sessions(olga: User) -> None:
    old = Client()
    old.force_login(olga)
    client = Client()
    client.post("/password/forgotten/", {"email": "olga@example.org"})
    eventually(lambda: mail.outbox)
    (message,) = mail.outbox
    assert message.to == ["olga@example.org"]
    link = re.search(r"http://localhost(/password/new/\S+)", str(message.body))
    assert link
    page = client.get(link[1], follow=True)
    words = "a sentence that nobody guesses"
    done = client.post(page.request["PATH_INFO"], {"password1": words, "password2": words}, follow=True)
    assert "The new password is set" in done.content.decode()
    assert try_to(Client(), words) == 302
    assert old.get("/").status_code == 302
    assert "used up" in Client().get(link[1], follow=True).content.decode()


def test_a_new_password_by_mail_opens_a_locked_door(olga: User) -> None:
    for number in range(lockout.TRIES_ACCOUNT + 1):
        try_to(Client(), "wrong", address=f"203.0.113.{number}")
    client = Client()
    client.post("/password/forgotten/", {"email": "olga@example.org"})
    eventually(lambda: mail.outbox)
    link = re.search(r"http://localhost(/password/new/\S+)", str(mail.outbox[0].body))
    assert link
    words = "a sentence that nobody guesses"
    page = client.get(link[1], follow=True)
    client.post(page.request["PATH_INFO"], {"password1": words, "password2": words})
    for number in range(lockout.TRIES_ACCOUNT + 1):
        try_to(Client(), "wrong", address=f"203.0.113.{number}")
    assert try_to(client, words) == 302


def test_a_stranger_cannot_flood_a_persons_mail_nor_use_the_mails_up_unseen(olga: User) -> None:
    answers = {
        Client().post("/password/forgotten/", {"email": "olga@example.org"}, REMOTE_ADDR=f"203.0.113.{n}").status_code
        for n in range(lockout.MAILS + 4)
    }
    assert answers == {302}
    eventually(lambda: len(mail.outbox) == lockout.MAILS)


def test_tries_side_by_side_cannot_overtake_the_count(olga: User) -> None:
    row = SignInFailures.objects.filter(key__startswith="account:")
    try_to(Client(), "wrong")
    row.update(count=lockout.TRIES_ACCOUNT)
    request = RequestFactory().post("/sign-in/")
    assert not lockout.may_try(request, olga.email, system_clock())
    assert row.get().count == lockout.TRIES_ACCOUNT


def test_a_mail_to_an_unknown_address_tells_nothing_on_the_page(olga: User, client: Client) -> None:
    known = client.post("/password/forgotten/", {"email": "olga@example.org"}, follow=True).content
    unknown = client.post("/password/forgotten/", {"email": "nobody@example.org"}, follow=True).content
    assert known == unknown


def test_there_is_no_way_to_sign_up(db: None, client: Client) -> None:
    assert client.get("/sign-up/").status_code == 404


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012", "olga@example.org"])
def test_weak_passwords_are_refused_with_words(olga: User, as_olga: Client, password: str) -> None:
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    page = as_olga.post("/you/password/", form)
    assert page.status_code == 200
    assert "invalid-feedback" in page.content.decode()


def test_the_hash_is_argon2(olga: User) -> None:
    assert olga.password.startswith("argon2$argon2id$")
