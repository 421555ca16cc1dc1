from pathlib import Path

import pytest

from cloud.endpoints import ACCOUNT_WIDE_CAP, BODY_CAP, Endpoints, compare

VOLID = "wil-pbs-01:backup/vm/100/2024-01-15T10:30:00Z 5%"


def document(table: Endpoints, prefix: str = "") -> dict[str, dict[str, dict[str, str]]]:
    paths: dict[str, dict[str, str]] = {}
    for row in table.values():
        paths.setdefault(prefix + row.path.replace("{id}", "{instance_id}"), {})[row.method.lower()] = "x"
    return {"paths": paths}


def test_has_41_rows_with_evidence() -> None:
    table = Endpoints()
    assert len(table) == 41
    assert all(row.evidence in {"DP", "DI"} for row in table.values())
    assert len({(row.method, row.path) for row in table.values()}) == 41


def test_history_is_a_read_in_spite_of_its_method() -> None:
    table = Endpoints()
    assert table["instance_history"].method == "POST"
    assert not table["instance_history"].is_write
    assert table["vnc_ticket"].is_write
    assert {row.name for row in table.values() if row.method == "GET" and row.is_write} == set()


def test_only_account_wide_lists_may_be_large() -> None:
    large = {row.name for row in Endpoints().values() if row.body_cap_bytes == ACCOUNT_WIDE_CAP}
    assert large == {"list_instances", "list_all_backups", "list_team_instances"}
    assert Endpoints()["get_task"].body_cap_bytes == BODY_CAP == 2 * 1024 * 1024


@pytest.mark.parametrize(
    ("given", "sent"),
    [("vm-abc123", "vm-abc123"), ("a/b", "a%2Fb"), ("50%", "50%25"), ("a%2Fb", "a%252Fb"), ("ü?#", "%C3%BC%3F%23")],
)
def test_ids_are_encoded(given: str, sent: str) -> None:
    assert Endpoints()["reboot"].target({"id": given}) == f"/instances/{sent}/reboot"


def test_queries_are_encoded() -> None:
    target = Endpoints()["delete_backup"].target({}, {"volid": VOLID})
    assert target == "/backups?volid=wil-pbs-01%3Abackup%2Fvm%2F100%2F2024-01-15T10%3A30%3A00Z%205%25"


@pytest.mark.parametrize("hostile", ["", ".", "..", "a\0b", "a\nb", "x" * 513])
def test_ids_that_would_reach_another_path_are_refused(hostile: str) -> None:
    with pytest.raises(ValueError, match="not a usable id"):
        Endpoints()["delete_instance"].target({"id": hostile})


def test_a_missing_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="release_ip needs"):
        Endpoints()["release_ip"].target({"id": "vm-1"})


def test_too_long_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        Endpoints()["delete_backup"].target({}, {"volid": "x" * 9000})


def test_override_changes_one_row_and_keeps_its_meaning() -> None:
    table = Endpoints.with_overrides("power_off=POST /instances/{id}/stop;\n list_tasks = post /tasks/search ;")
    assert table["power_off"].target({"id": "vm-1"}) == "/instances/vm-1/stop"
    assert table["list_tasks"].method == "POST"
    assert not table["list_tasks"].is_write
    assert table["reboot"] == Endpoints()["reboot"]
    assert Endpoints.with_overrides("") == Endpoints()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fly=POST /instances/{id}/fly", "no endpoint is called 'fly'"),
        ("power_off", "no endpoint"),
        ("power_off=STOP /instances/{id}/stop", "'STOP' is no method"),
        ("power_off=GET /instances/{id}/stop", "'GET' is no method for power_off"),
        ("power_off=POST /instances/stop", r"needs exactly \{id\}"),
        ("power_off=POST /instances/{id}/{id}", r"needs exactly \{id\}"),
        ("health=GET /health/{id}", "needs exactly no placeholder"),
        ("power_off=POST instances/{id}/stop", "is no path"),
        ("power_off=POST https://evil.test/{id}", "is no path"),
        ("power_off=POST /instances/../{id}", "is no path"),
        ("power_off=POST /instances/{id}?x=1", "is no path"),
        ("power_off=POST", "is no path"),
        ("reboot=POST /instances/{id}/a; reboot=POST /instances/{id}/b", "twice"),
    ],
)
def test_nonsense_overrides_are_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Endpoints.with_overrides(text)


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_compare_agrees_whatever_parameters_are_called(prefix: str) -> None:
    assert not compare(document(Endpoints(), prefix))


def test_compare_names_both_sides() -> None:
    theirs = document(Endpoints())
    del theirs["paths"]["/instances/{instance_id}/power-off"]
    theirs["paths"]["/api/v1/instances/{x}/stop"] = {"post": "x", "parameters": "y"}
    difference = compare(theirs)
    assert [row.name for row in difference.unknown_rows] == ["power_off"]
    assert difference.missing_paths == ("POST /instances/{x}/stop",)


@pytest.mark.parametrize("document", [{}, {"paths": []}])
def test_compare_refuses_what_is_no_document(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not an OpenAPI document"):
        compare(document)


def test_no_other_file_of_the_client_knows_a_path() -> None:
    cloud = Path(__file__).parents[3] / "cloud"
    for name in ("client.py", "areas.py", "calls.py", "transport.py", "deadline.py", "checks.py"):
        assert "/instances" not in (cloud / name).read_text()
