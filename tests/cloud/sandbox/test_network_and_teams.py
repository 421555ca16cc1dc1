"""Addresses, the firewall, and teams."""

from typing import Any

import pytest

from cloud.sandbox.catalogue import TEAMS
from tests.cloud.sandbox.conftest import Provider


def test_address_is_assigned_listed_and_released(provider: Provider) -> None:
    uuid = next(each.uuid for each in provider.sandbox.world.instances.values() if len(each.addresses) == 1)
    answer = provider.call("POST", f"/instances/{uuid}/ips")
    assert set(answer["ip"]) == {"ip_address", "internal_ip", "interface_name", "bridge", "mac_address"}
    ip = answer["ip"]["ip_address"]
    listed = provider.call("GET", f"/instances/{uuid}/ips")
    assert (listed["instance_id"], listed["ip_count"]) == (uuid, 2)
    assert [(each["is_primary"], each["interface_name"]) for each in listed["ips"]] == [(True, "net0"), (False, "net1")]
    released = provider.call("DELETE", f"/instances/{uuid}/ips/{ip}")
    assert (released["released_ip"], released["released_interface"]) == (ip, "net1")
    provider.call("DELETE", f"/instances/{uuid}/ips/{ip}", status=404)


def test_primary_and_last_address_stay(provider: Provider) -> None:
    uuid = next(each.uuid for each in provider.sandbox.world.instances.values() if len(each.addresses) == 1)
    primary = provider.call("GET", f"/instances/{uuid}/ips")["ips"][0]["ip_address"]
    assert provider.call("DELETE", f"/instances/{uuid}/ips/{primary}", status=400)["error"] == "last_ip"
    provider.call("POST", f"/instances/{uuid}/ips")
    assert provider.call("DELETE", f"/instances/{uuid}/ips/{primary}", status=400)["error"] == "primary_ip"


def test_addresses_are_limited_for_one_machine(provider: Provider) -> None:
    uuid = provider.machine()
    world = provider.sandbox.world
    while len(world.instances[uuid].addresses) < 16:
        world.assign_address(world.instances[uuid], 0)
    assert provider.call("POST", f"/instances/{uuid}/ips", status=409)["error"] == "limit_reached"


def comments(provider: Provider, uuid: str) -> list[str]:
    rules = provider.call("GET", f"/instances/{uuid}/firewall")["rules"]
    assert [each["pos"] for each in rules] == list(range(len(rules)))
    return [each["comment"] for each in rules]


def test_new_rule_goes_to_the_top_and_a_delete_moves_the_rest_up(provider: Provider) -> None:
    uuid = provider.launch()["vm_uuid"]
    provider.wait(130)
    path = f"/instances/{uuid}/firewall/rules"
    for comment in ("a", "b", "c"):
        answer = provider.call("POST", path, {"type": "in", "action": "ACCEPT", "dport": "22", "comment": comment})
        assert answer["rule"]["pos"] == 0
    assert comments(provider, uuid) == ["c", "b", "a"]
    one = provider.call("GET", f"{path}/1")
    assert one == {
        "pos": 1, "type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "22", "comment": "b", "enable": 1,
    }  # fmt: skip
    answer = provider.call("DELETE", f"{path}/1")
    assert answer == {"status": "success", "message": "Firewall rule at position 1 deleted"}
    assert comments(provider, uuid) == ["c", "a"]
    provider.call("GET", f"{path}/2", status=404)
    provider.call("DELETE", f"{path}/-1", status=404)
    provider.call("DELETE", f"{path}/x", status=422)


def test_firewall_options_change_only_what_is_given(provider: Provider) -> None:
    path = f"/instances/{provider.machine()}/firewall"
    answer = provider.call("PUT", path, {"enable": True, "policy_in": "DROP", "policy_out": "ACCEPT"})
    assert answer["firewall"]["enabled"] is True
    provider.call("PUT", path, {"policy_in": "ACCEPT"})
    read = provider.call("GET", path)
    assert (read["enabled"], read["policy_in"], read["policy_out"]) == (True, "ACCEPT", "ACCEPT")
    provider.call("PUT", path, {"policy_in": "REJECT"}, status=400)


GOOD_RULES: list[dict[str, Any]] = [
    {"dport": "22"},
    {"dport": "80:443"},
    {"dport": "80,443"},
    {"dport": "1,2:3,65535", "sport": "1024:65535"},
    {"source": "10.0.0.0/8", "dest": "192.0.2.1"},
    {"source": "2001:db8::/32"},
    {"proto": "icmp"},
    {"proto": "udp", "enable": 0},
    {"type": "out", "action": "REJECT"},
]
BAD_RULES: list[dict[str, Any]] = [
    {"dport": "0"},
    {"dport": "65536"},
    {"dport": "443:80"},
    {"dport": "80-443"},
    {"dport": "80:443:8080"},
    {"dport": "80,"},
    {"dport": "²"},
    {"dport": "9" * 5000},
    {"dport": ""},
    {"sport": "ssh"},
    {"source": "10.0.0.1/8"},
    {"source": "999.1.1.1"},
    {"dest": "example.org"},
    {"proto": "sctp"},
    {"proto": "icmp", "dport": "22"},
    {"type": "forward"},
    {"action": "accept"},
    {"enable": 2},
]


@pytest.mark.parametrize("fields", GOOD_RULES)
def test_good_rule_is_taken(provider: Provider, fields: dict[str, Any]) -> None:
    path = f"/instances/{provider.machine()}/firewall/rules"
    rule = provider.call("POST", path, {"type": "in", "action": "ACCEPT"} | fields)["rule"]
    assert {key: rule[key] for key in fields} == fields


@pytest.mark.parametrize("fields", BAD_RULES)
def test_bad_rule_is_refused_by_field(provider: Provider, fields: dict[str, Any]) -> None:
    path = f"/instances/{provider.machine()}/firewall/rules"
    answer = provider.call("POST", path, {"type": "in", "action": "ACCEPT"} | fields, status=400)
    assert answer["errors"][0]["field"] in fields
    assert provider.commits() == []


def test_team_is_assigned_listed_and_removed(provider: Provider) -> None:
    uuid = provider.machine(team_id=None)
    team_id, name = next(iter(TEAMS.items()))
    answer = provider.call("POST", f"/instances/{uuid}/team", {"team_id": team_id})
    assert answer == {
        "success": True, "message": "Instance assigned to team", "instance_id": uuid, "team_id": team_id,
    }  # fmt: skip
    team = provider.call("GET", f"/teams/{team_id}/instances")
    assert (team["team_id"], team["team_name"], team["total"]) == (team_id, name, len(team["instances"]))
    row = next(each for each in team["instances"] if each["uuid"] == uuid)
    assert set(row) == {"uuid", "name", "ip_address", "power_status"}
    provider.call("DELETE", f"/instances/{uuid}/team")
    assert provider.call("DELETE", f"/instances/{uuid}/team", status=400)["error"] == "no_team"
    provider.call("POST", f"/instances/{uuid}/team", {"team_id": "none"}, status=404)
    provider.call("GET", "/teams/none/instances", status=404)
