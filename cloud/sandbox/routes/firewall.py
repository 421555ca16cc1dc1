"""The firewall of a machine. A new rule goes to position 0; a delete moves the later ones up."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from cloud.sandbox import show
from cloud.sandbox.checks import between, network, one_of, ports
from cloud.sandbox.errors import conflict, invalid, not_found
from cloud.sandbox.routes.call import CallDep, InstanceId, answer
from cloud.sandbox.state import Firewall, Instance, Rule

router = APIRouter()
MAX_RULES = 100
Position = Annotated[int, Path(alias="pos")]


class FirewallBody(BaseModel):
    enable: bool | None = None
    policy_in: str | None = None
    policy_out: str | None = None


class RuleBody(BaseModel):
    type: str
    action: str
    proto: str | None = None
    dport: str | None = None
    sport: str | None = None
    source: str | None = None
    dest: str | None = None
    comment: str | None = None
    enable: int = 1

    def rule(self) -> Rule:
        """Raises ApiError 400 for the first thing that is wrong."""
        one_of("type", self.type, ("in", "out"))
        one_of("action", self.action, ("ACCEPT", "DROP", "REJECT"))
        proto = one_of("proto", self.proto or "tcp", ("tcp", "udp", "icmp"))
        for name, value in (("dport", self.dport), ("sport", self.sport)):
            if value is not None:
                ports(name, value)
                if proto == "icmp":
                    raise invalid(name, "has no meaning for icmp")
        for name, value in (("source", self.source), ("dest", self.dest)):
            if value is not None:
                network(name, value)
        between("enable", self.enable, 0, 1)
        return Rule(**self.model_dump() | {"proto": proto})


def _shown(firewall: Firewall) -> dict[str, Any]:
    return {
        "enabled": firewall.enabled,
        "policy_in": firewall.policy_in,
        "policy_out": firewall.policy_out,
        "rules": [show.rule_row(position, rule) for position, rule in enumerate(firewall.rules)],
    }


def _at(instance: Instance, position: int) -> Rule:
    """The rule at a position. Raises 404."""
    rules = instance.firewall.rules
    if not 0 <= position < len(rules):
        raise not_found("Firewall rule")
    return rules[position]


@router.get("/instances/{id}/firewall", name="get_firewall")
async def get_firewall(call: CallDep, instance_id: InstanceId) -> Response:
    return answer(_shown(call.world.listed(instance_id).firewall))


@router.put("/instances/{id}/firewall", name="set_firewall")
async def set_firewall(call: CallDep, instance_id: InstanceId, body: FirewallBody) -> Response:
    """Changes what is given and leaves the rest."""
    instance = call.world.ready(instance_id)
    for name, policy in (("policy_in", body.policy_in), ("policy_out", body.policy_out)):
        if policy is not None:
            one_of(name, policy, ("ACCEPT", "DROP"))
    firewall = instance.firewall
    firewall.enabled = firewall.enabled if body.enable is None else body.enable
    firewall.policy_in = body.policy_in or firewall.policy_in
    firewall.policy_out = body.policy_out or firewall.policy_out
    call.world.note(instance, "firewall_updated")
    call.committed(instance_id, body.model_dump(exclude_none=True))
    return answer({"status": "success", "message": "Firewall options updated", "firewall": _shown(firewall)})


@router.post("/instances/{id}/firewall/rules", name="add_firewall_rule")
async def add_firewall_rule(call: CallDep, instance_id: InstanceId, body: RuleBody) -> Response:
    instance = call.world.ready(instance_id)
    rule = body.rule()
    if len(instance.firewall.rules) >= MAX_RULES:
        raise conflict("limit_reached", f"At most {MAX_RULES} rules for one VM")
    instance.firewall.rules.insert(0, rule)
    call.world.note(instance, "firewall_rule_added")
    call.committed(instance_id, body.model_dump(exclude_none=True))
    return answer({"status": "success", "message": "Firewall rule added", "rule": show.rule_row(0, rule)})


@router.get("/instances/{id}/firewall/rules/{pos}", name="get_firewall_rule")
async def get_firewall_rule(call: CallDep, instance_id: InstanceId, position: Position) -> Response:
    return answer(show.rule_row(position, _at(call.world.listed(instance_id), position)))


@router.delete("/instances/{id}/firewall/rules/{pos}", name="delete_firewall_rule")
async def delete_firewall_rule(call: CallDep, instance_id: InstanceId, position: Position) -> Response:
    instance = call.world.ready(instance_id)
    rule = _at(instance, position)
    del instance.firewall.rules[position]
    call.world.note(instance, "firewall_rule_deleted")
    call.committed(instance_id, {"pos": position, "rule": show.rule_row(position, rule)})
    return answer({"status": "success", "message": f"Firewall rule at position {position} deleted"})
