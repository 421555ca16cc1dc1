"""Nothing secret and nothing endless is ever written down."""

import pytest

from panel.audit import cleaning
from tests.panel.audit.cast import say

CANARY = "CANARY-7f3a9"


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "Passwort", "key", "api_key", "apiKey", "X-API-Key", "sealed_key", "token", "ticket",
     "client_secret", "Authorization", "accessToken", "otp", "csrfmiddlewaretoken", "session_cookie", "private"],
)  # fmt: skip
def test_a_field_that_is_named_like_a_secret_is_left_out(db: None, name: str) -> None:
    row = say(detail={name: CANARY, "inside": [{name: {"deeper": CANARY}}], "kept": "yes"})
    assert CANARY not in row.detail
    assert row.details["kept"] == "yes"


@pytest.mark.parametrize("name", ["key_state", "token_name", "target", "reason", "ticked", "monkeys_seen"])
def test_other_fields_stay(db: None, name: str) -> None:
    assert say(detail={name: "told"}).details == {name: "told"}


@pytest.mark.parametrize(
    "text",
    [f"password={CANARY}", f"https://me:{CANARY}@provider.test/", f"/password/new/{CANARY}/", f"X-API-Key: {CANARY}"],
)
def test_a_secret_inside_a_text_is_taken_out(db: None, text: str) -> None:
    row = say(target_label=text, detail={"said": text})
    assert CANARY not in row.detail + row.target_label


def test_bytes_are_nobodys_business(db: None) -> None:
    assert say(detail={"raw": CANARY.encode()}).details == {"raw": "…"}


def test_a_number_without_end_is_cut(db: None) -> None:
    assert say(detail={"huge": 10**9000, "large": 2**60}).details == {"huge": "…", "large": str(2**60)}


def test_what_is_too_long_is_cut_not_lost(db: None) -> None:
    row = say(detail={f"field{number}": "long " * 1000 for number in range(10)}, target_label="x" * 900)
    assert len(row.detail.encode()) <= cleaning.MOST_BYTES
    assert len(row.details) == 10
    assert len(row.target_label) == 254
    assert (
        say(detail={f"{number}" * 400: list(range(2**50, 2**50 + 50)) for number in range(50)}).detail == cleaning.CUT
    )
