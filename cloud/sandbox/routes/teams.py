"""Which team a machine belongs to."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from cloud.sandbox import show
from cloud.sandbox.catalogue import TEAMS
from cloud.sandbox.errors import ApiError, not_found
from cloud.sandbox.routes.call import CallDep, InstanceId, answer

router = APIRouter()
SHOWN = ("uuid", "name", "ip_address", "power_status")


class TeamBody(BaseModel):
    team_id: str


@router.post("/instances/{id}/team", name="assign_team")
async def assign_team(call: CallDep, instance_id: InstanceId, body: TeamBody) -> Response:
    instance = call.world.ready(instance_id)
    if body.team_id not in TEAMS:
        raise not_found("Team")
    instance.team_id = body.team_id
    call.world.note(instance, "team_assigned", {"team_id": body.team_id})
    call.committed(instance_id, {"team_id": body.team_id})
    answered = {"success": True, "message": "Instance assigned to team", "instance_id": instance_id}
    return answer(answered | {"team_id": body.team_id})


@router.delete("/instances/{id}/team", name="remove_team")
async def remove_team(call: CallDep, instance_id: InstanceId) -> Response:
    instance = call.world.ready(instance_id)
    if instance.team_id is None:
        raise ApiError(400, "no_team", "Instance is not assigned to a team")
    instance.team_id = None
    call.world.note(instance, "team_removed")
    call.committed(instance_id)
    return answer({"success": True, "message": "Instance removed from team", "instance_id": instance_id})


@router.get("/teams/{team_id}/instances", name="list_team_instances")
async def list_team_instances(call: CallDep, team_id: Annotated[str, Path()]) -> Response:
    if team_id not in TEAMS:
        raise not_found("Team")
    rows = [
        show.instance_row(each, call.world.meta.quirks, detail=False)
        for each in call.world.visible()
        if each.team_id == team_id
    ]
    short = [{name: row[name] for name in SHOWN} for row in rows]
    return answer({"team_id": team_id, "team_name": TEAMS[team_id], "instances": short, "total": len(short)})
