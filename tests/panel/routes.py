"""Every route of the panel with who gets which answer, and the actors of its columns."""

from panel.people.models import User
from panel.teams.models import Team
from panel.teams.policy import Role
from tests.fixtures import person

# One row a route, and another for each way in which it answers differently (words behind the name tell them apart):
# method, address, and the status for the team's owner, admin, launcher, operator, billing and viewer; then for a
# signed-in stranger to all teams, another team's admin, and an administrator of the installation who belongs to no
# team. Anonymous and disabled people are sent to the door everywhere but in the public table.
ORDER = (Role.OWNER, Role.ADMIN, Role.LAUNCHER, Role.OPERATOR, Role.BILLING, Role.VIEWER)
OTHERS = ("stranger", "another team's admin", "administrator")
Row = tuple[str, str, int, int, int, int, int, int, int, int, int]
TABLE: dict[str, Row] = {
    "overview:home": ("GET", "/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "fleet:list": ("GET", "/instances/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:sums": ("GET", "/instances/sums/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:export": ("GET", "/instances/instances.csv", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:detail": ("GET", "/instances/1/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "fleet:readings": ("GET", "/instances/1/readings/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "activity:provider-tasks": ("GET", "/provider-tasks/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "accounts:list": ("GET", "/settings/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "accounts:add": ("GET", "/settings/accounts/add/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "accounts:replace-key": ("GET", "/settings/accounts/1/key/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "accounts:test": ("POST", "/settings/accounts/1/test/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "accounts:disable": ("GET", "/settings/accounts/1/disable/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "accounts:enable": ("POST", "/settings/accounts/1/enable/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "accounts:confirm-missing": ("GET", "/settings/accounts/1/missing/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "health:home": ("GET", "/health/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "health:banners": ("GET", "/banners/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "you": ("GET", "/you/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "account_change_password": ("GET", "/you/password/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "you-theme": ("POST", "/you/theme/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "you-zone": ("POST", "/you/zone/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "you-key-add": ("GET", "/you/keys/add/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "you-key-add sent": ("POST", "/you/keys/add/", 422, 422, 422, 422, 422, 422, 422, 422, 422),
    "you-key-remove": ("GET", "/you/keys/1/remove/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "you-session-end": ("POST", "/you/sessions/1/end/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "you-sessions-end": ("POST", "/you/sessions/end/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "launch:new": ("GET", "/launch/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "launch:new sent": ("POST", "/launch/", 422, 422, 422, 403, 403, 403, 403, 422, 403),
    "launch:own": ("GET", "/launch/own-size/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "launch:own sent": ("POST", "/launch/own-size/", 422, 422, 422, 403, 403, 403, 403, 422, 403),
    "launch:types": ("GET", "/launch/types/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "launch:quote": ("GET", "/launch/quote/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "launch:name": ("GET", "/launch/name/?name=a", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "actions:menu": ("GET", "/instances/1/actions/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "actions:do power": ("GET", "/instances/1/do/reboot/", 200, 200, 200, 200, 403, 403, 404, 404, 404),
    "actions:do power sent": ("POST", "/instances/1/do/reboot/", 422, 422, 422, 422, 403, 403, 404, 404, 404),
    "actions:do force_off": ("GET", "/instances/1/do/force_off/", 200, 200, 200, 403, 403, 403, 404, 404, 404),
    "actions:do force_off sent": ("POST", "/instances/1/do/force_off/", 422, 422, 422, 403, 403, 403, 404, 404, 404),
    "actions:do rename": ("GET", "/instances/1/do/rename/", 200, 200, 200, 403, 403, 403, 404, 404, 404),
    "actions:do rename sent": ("POST", "/instances/1/do/rename/", 422, 422, 422, 403, 403, 403, 404, 404, 404),
    "actions:do delete": ("GET", "/instances/1/do/delete/", 200, 200, 200, 403, 403, 403, 404, 404, 404),
    "actions:do delete sent": ("POST", "/instances/1/do/delete/", 422, 422, 422, 403, 403, 403, 404, 404, 404),
    "actions:do unknown": ("GET", "/instances/1/do/launder/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "actions:protect": ("POST", "/instances/1/protect/", 302, 302, 403, 403, 403, 403, 404, 404, 404),
    "actions:unprotect": ("POST", "/instances/1/unprotect/", 302, 302, 403, 403, 403, 403, 404, 404, 404),
    "find:find": ("GET", "/find/?q=restart", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "find:keys": ("GET", "/keys/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "fleet:views": ("GET", "/instances/views/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:save-view": ("GET", "/instances/views/new/?q=a", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:save-view sent": ("POST", "/instances/views/new/", 422, 422, 422, 422, 422, 422, 403, 422, 403),
    "fleet:rename-view": ("GET", "/instances/views/7/rename/", 404, 404, 404, 404, 404, 404, 403, 404, 403),
    "fleet:delete-view": ("POST", "/instances/views/7/delete/", 404, 404, 404, 404, 404, 404, 403, 404, 403),
    "fleet:move-view": ("POST", "/instances/views/7/up/", 404, 404, 404, 404, 404, 404, 403, 404, 403),
    "fleet:columns": ("POST", "/instances/columns/", 302, 302, 302, 302, 302, 302, 403, 302, 403),
    "bulk:do": ("GET", "/instances/bulk/do/reboot/", 200, 200, 200, 200, 403, 403, 403, 200, 403),
    "bulk:do sent": ("POST", "/instances/bulk/do/reboot/", 422, 422, 422, 422, 403, 403, 403, 422, 403),
    "bulk:do force": ("GET", "/instances/bulk/do/force_off/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "bulk:do force sent": ("POST", "/instances/bulk/do/force_off/", 422, 422, 422, 403, 403, 403, 403, 422, 403),
    "bulk:do delete": ("GET", "/instances/bulk/do/delete/", 404, 404, 404, 404, 403, 403, 403, 404, 403),
    "bulk:run": ("GET", "/instances/bulk/RUN/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "bulk:undo": ("POST", "/instances/bulk/RUN/undo/", 302, 302, 302, 302, 403, 403, 404, 404, 404),
    "activity:home": ("GET", "/activity/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "activity:count": ("GET", "/activity/count/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "activity:operation": ("GET", "/activity/OPERATION/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "activity:undo": ("POST", "/activity/OPERATION/undo/", 302, 302, 302, 302, 403, 403, 404, 404, 404),
    "activity:retry": ("POST", "/activity/OPERATION/retry/", 302, 302, 302, 302, 403, 403, 404, 404, 404),
    "activity:put-aside": ("POST", "/activity/OPERATION/put-aside/", 302, 302, 302, 302, 403, 403, 404, 404, 404),
    "activity:settle": ("GET", "/activity/OPERATION/settle/", 200, 200, 403, 403, 403, 403, 404, 404, 404),
    "activity:settle sent": ("POST", "/activity/OPERATION/settle/", 422, 422, 403, 403, 403, 403, 404, 404, 404),
    "overview:end-tour": ("POST", "/first-steps/end/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "approvals:answer": ("GET", "/activity/WAITING/answer/", 200, 200, 403, 403, 403, 403, 404, 404, 404),
    "approvals:approve": ("POST", "/activity/WAITING/approve/", 422, 422, 403, 403, 403, 403, 404, 404, 404),
    "approvals:reject": ("POST", "/activity/WAITING/reject/", 422, 422, 403, 403, 403, 403, 404, 404, 404),
    "teams:home": ("GET", "/teams/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "teams:new": ("GET", "/teams/new/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "teams:new sent": ("POST", "/teams/new/", 403, 403, 403, 403, 403, 403, 403, 403, 422),
    "teams:team": ("GET", "/teams/TEAM/", 200, 200, 200, 200, 200, 200, 404, 404, 200),
    "teams:rename": ("GET", "/teams/TEAM/rename/", 200, 403, 403, 403, 403, 403, 404, 404, 200),
    "teams:rename sent": ("POST", "/teams/TEAM/rename/", 422, 403, 403, 403, 403, 403, 404, 404, 422),
    "teams:rules": ("GET", "/teams/TEAM/rules/", 200, 403, 403, 403, 403, 403, 404, 404, 403),
    "teams:rules sent": ("POST", "/teams/TEAM/rules/", 302, 403, 403, 403, 403, 403, 404, 404, 403),
    "teams:invite": ("GET", "/teams/TEAM/invite/", 200, 200, 403, 403, 403, 403, 404, 404, 200),
    "teams:invite sent": ("POST", "/teams/TEAM/invite/", 422, 422, 403, 403, 403, 403, 404, 404, 422),
    "teams:withdraw": ("POST", "/teams/invitations/INVITATION/withdraw/", 302, 302, 403, 403, 403, 403, 404, 404, 302),
    "teams:role": ("GET", "/teams/members/MEMBER/role/", 200, 200, 403, 403, 403, 403, 404, 404, 200),
    "teams:role sent": ("POST", "/teams/members/MEMBER/role/", 422, 422, 403, 403, 403, 403, 404, 404, 422),
    "teams:remove": ("GET", "/teams/members/MEMBER/remove/", 200, 200, 403, 403, 403, 403, 404, 404, 200),
    "teams:remove sent": ("POST", "/teams/members/MEMBER/remove/", 302, 302, 403, 403, 403, 403, 404, 404, 302),
    "teams:leave another's": ("GET", "/teams/members/MEMBER/leave/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "teams:leave another's sent": ("POST", "/teams/members/MEMBER/leave/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "teams:key-add": ("GET", "/teams/TEAM/keys/add/", 200, 200, 403, 403, 403, 403, 404, 404, 403),
    "teams:key-add sent": ("POST", "/teams/TEAM/keys/add/", 422, 422, 403, 403, 403, 403, 404, 404, 403),
    "teams:key-remove": ("GET", "/teams/keys/KEY/remove/", 200, 200, 403, 403, 403, 403, 404, 404, 404),
    "teams:key-remove sent": ("POST", "/teams/keys/KEY/remove/", 302, 302, 403, 403, 403, 403, 404, 404, 404),
    "teams:give": ("GET", "/teams/give/", 200, 200, 403, 403, 403, 403, 403, 200, 403),
    "teams:give sent": ("POST", "/teams/give/", 422, 422, 403, 403, 403, 403, 403, 422, 403),
    "teams:roles": ("GET", "/roles/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "teams:people": ("GET", "/people/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "teams:disable": ("GET", "/people/PERSON/disable/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "teams:disable sent": ("POST", "/people/PERSON/disable/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "teams:enable": ("POST", "/people/PERSON/enable/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "teams:administrator": ("GET", "/people/PERSON/administrator/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "teams:administrator sent": ("POST", "/people/PERSON/administrator/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "inbox:home": ("GET", "/inbox/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "inbox:count": ("GET", "/inbox/count/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "inbox:open another's": ("POST", "/inbox/NOTICE/open/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "inbox:read": ("POST", "/inbox/read/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "inbox:wanted": ("GET", "/inbox/wanted/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "audit:home": ("GET", "/record/", 200, 200, 403, 403, 403, 403, 403, 200, 200),
    "audit:export": ("GET", "/record/export/csv/", 200, 200, 403, 403, 403, 403, 403, 200, 200),
    "audit:check": ("POST", "/record/check/", 302, 302, 403, 403, 403, 403, 403, 302, 302),
}
PUBLIC_TABLE = {
    "health:alive": ("/healthz", 200),
    "account_login": ("/sign-in/", 200),
    "account_logout": ("/sign-out/", 302),
    "account_inactive": ("/no-access/", 200),
    "account_reset_password": ("/password/forgotten/", 200),
    "account_reset_password_done": ("/password/forgotten/sent/", 200),
    "account_reset_password_from_key": ("/password/new/1-garbage/", 200),
    "account_reset_password_from_key_done": ("/password/new/done/", 200),
    "invitation": ("/invitation/garbage/", 404),
}


def real(address: str, ids: dict[str, str]) -> str:
    for wanted, given in ids.items():
        address = address.replace(wanted, given)
    return address


def actor(who: Role | str, team: Team) -> User:
    """Somebody of the table's columns."""
    if isinstance(who, Role):
        return person("who@example.org", team, who)
    if who == "another team's admin":
        return person("who@example.org", Team.objects.create(name="Another"), Role.ADMIN)
    user = person("who@example.org", None)
    user.is_administrator = who == "administrator"
    user.save(update_fields=["is_administrator"])
    return user
