"""The provider's 41 endpoints, one file an area."""

from cloud.sandbox.routes import account, addresses, backups, firewall, instances, launch, power, schedules, teams

# `launch` comes before `instances`, whose /instances/{id} would swallow /instances/templates.
ROUTERS = (
    account.router,
    launch.router,
    instances.router,
    power.router,
    backups.router,
    schedules.router,
    addresses.router,
    firewall.router,
    teams.router,
)
