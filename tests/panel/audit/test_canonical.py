"""Whatever is written comes back from both databases as it was hashed."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from panel.audit import canonical, cleaning
from panel.audit.models import Entry
from panel.audit.verify import verify
from tests.panel.audit.cast import say

HOSTILE = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    [
        "\0",
        "a\0b",
        "\ud800",
        "\udfff\ud800",
        "\u2028",
        "\x7f",
        "=1+1",
        "é",
        "e\u0301",
        "🐚",
        "\\u0000",
        '"',
        "\\",
        "x" * 9000,
    ]
)
SCALARS = (
    st.none() | st.booleans() | HOSTILE | st.integers() | st.sampled_from([2**53, -(2**53), 2**63, 10**400, -0.0])
    | st.floats() | st.binary(max_size=8) | st.datetimes(timezones=st.just(UTC)) | st.decimals() | st.uuids()
)  # fmt: skip
NESTED = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HOSTILE, inner, max_size=4), max_leaves=12
)
HASH_FOR_EVER = "a95c3397e4ae13c4c73c9c17041d334f90a61e9a11f5cc5816bf1195d1d4ac17"
CALCUTTA = timezone(timedelta(hours=5, minutes=30))
MANY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(st.dictionaries(HOSTILE, NESTED, max_size=5), HOSTILE, HOSTILE)
@example({"deep": [[[[[[[[1]]]]]]]], "many": list(range(5000))}, "\0", "\ud800")
def test_hostile_things_come_back_as_they_were_hashed(
    db: None, detail: dict[str, Any], label: str, target: str
) -> None:
    written = say(target_label=label, target_id=target, detail=detail)
    read = Entry.objects.get(pk=written.pk)
    assert read.detail == written.detail
    assert canonical.hash_of_entry(read) == read.hash == written.hash
    assert len(read.detail.encode()) <= cleaning.MOST_BYTES
    assert json.dumps(read.details, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == read.detail
    report = verify({}, None)
    assert report.faults == []
    assert report.last_hash == written.hash


@MANY
@given(st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.sampled_from([UTC, CALCUTTA])))  # noqa: DTZ001
@example(datetime(2026, 11, 23, 14, tzinfo=UTC))
@example(datetime(2026, 11, 23, 14, 0, 0, 500, tzinfo=UTC))
def test_times_are_hashed_in_one_form(db: None, at: datetime) -> None:
    say(at=at)
    assert verify({}, None).faults == []


def test_anybody_can_compute_a_hash_with_the_standard_library(db: None) -> None:
    row = say(target_label='"é\\\n\x7f/🐚', team_id=3, detail={"b": 1, "a": "ü"})
    columns = {name: getattr(row, name) for name in canonical.COLUMNS} | {"at": canonical.instant(row.at)}
    body = json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    text = f"{row.version}\n{row.sequence}\n{row.previous_hash}\n{body}"
    assert row.hash == hashlib.sha256(text.encode()).hexdigest()


def test_every_column_is_hashed() -> None:
    hashed = {"sequence", "version", "previous_hash", *canonical.COLUMNS}
    assert hashed == {field.name for field in Entry._meta.get_fields()} - {"hash"}


def test_a_form_that_changes_is_a_new_version() -> None:
    """This very row, for ever: a change of the canonical form must raise VERSION and keep reading the old one."""
    values = [None, "a", "", "", "2026-11-23T14:00:00.000000+00:00", "c.d", "{}", "", "ok", "", "", "", "", 1, "", None]
    assert canonical.hash_of(1, 1, "0" * 64, values) == HASH_FOR_EVER
