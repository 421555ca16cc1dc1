from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    name = "panel.audit"

    def ready(self) -> None:
        """The guards follow the tables: put aside before a migration that rebuilds one, put back after every one."""
        from panel.audit import guards, roles  # noqa: PLC0415 -- models must be loaded first

        pre_migrate.connect(guards.before_migrations, sender=self)
        post_migrate.connect(guards.after_migrations, sender=self)
        post_migrate.connect(roles.after_migrations, sender=self)
