"""Production's second PostgreSQL role: what the panel's processes may do with each table, and no more.

Tables belong to the role that migrates. The panel's own may not change the tables, nor what stands on the record: it
can neither drop nor switch off the guards. Given anew after every `migrate`, so that new tables are covered.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from psycopg import sql

# A superuser counts as a member of every role.
KNOWN = "SELECT pg_has_role(oid, current_user, 'MEMBER') FROM pg_catalog.pg_roles WHERE rolname = %s"
MAKE = sql.SQL("CREATE ROLE {role} LOGIN PASSWORD {password}")
RENEW = sql.SQL("ALTER ROLE {role} LOGIN PASSWORD {password}")
GRANTS = (
    sql.SQL("GRANT USAGE ON SCHEMA public TO {role}"),
    sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"),
    sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
    sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"),
    sql.SQL("REVOKE UPDATE, DELETE ON public.audit_entry, public.audit_checkpoint FROM {role}"),
    sql.SQL("REVOKE DELETE ON public.audit_head FROM {role}"),
    sql.SQL("REVOKE INSERT, UPDATE, DELETE ON public.django_migrations FROM {role}"),
)


def after_migrations(*, using: str, **_signal: Any) -> None:
    """Make the role where a password for it is given, and grant it what it needs. Raises ImproperlyConfigured."""
    role = settings.APP_ROLE
    if not role or using != DEFAULT_DB_ALIAS or connection.vendor != "postgresql":
        return
    if "audit_entry" not in connection.introspection.table_names():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(KNOWN, [role])
        known = cursor.fetchone()
        if known and known[0]:
            raise ImproperlyConfigured(
                f"TIDEPOOL_APP_ROLE: {role} may do all that the tables' owner may. Name another."
            )
        if not known and not settings.APP_PASSWORD:
            raise ImproperlyConfigured(
                f"TIDEPOOL_APP_ROLE: there is no role {role}; set TIDEPOOL_APP_PASSWORD as well."
            )
        password = _encrypted(settings.APP_PASSWORD, role) if settings.APP_PASSWORD else ""
        first = [RENEW if known else MAKE] if password else []
        for statement in [*first, *GRANTS]:
            cursor.execute(statement.format(role=sql.Identifier(role), password=sql.Literal(password)))


def _encrypted(password: str, role: str) -> str:
    """As the server stores it, so that the password itself stands in no statement and no log of it."""
    connection.ensure_connection()
    coded: bytes = connection.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return coded.decode()
