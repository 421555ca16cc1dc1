"""Each rule of tests/rules.py finds what it is for, and every template compiles."""

import pytest
from django.template.loader import get_template

from tests.rules import BASE, breaches, template_breaches

BROKEN = [
    ("panel/fleet/views.py", "if membership.role == 'owner': pass"),
    ("panel/fleet/views.py", "from panel.teams.policy import Role\nx = Role.OWNER"),
    ("panel/fleet/services.py", "import httpx"),
    ("panel/fleet/services.py", "from urllib.request import urlopen"),
    ("cloud/sync.py", "from panel.people.models import User"),
    ("cloud/sandbox/world.py", "from cloud.models import Account"),
    ("cloud/sync.py", "from cloud.sandbox import world"),
    ("cloud/client.py", "from django.conf import settings"),
    ("panel/fleet/views.py", "from panel.accounts.views import home"),
    ("panel/fleet/views.py", "mark_safe(name)"),
    ("panel/fleet/queries.py", "cursor.execute(f'SELECT * FROM t WHERE a = {b}')"),
    ("panel/fleet/queries.py", "cursor.execute('SELECT ' + name)"),
]
FINE = [
    ("panel/teams/services.py", "if membership.role == 'owner': pass"),
    ("cloud/client.py", "import httpx"),
    ("panel/fleet/urls.py", "from panel.fleet.views import home"),
    ("panel/fleet/queries.py", "cursor.execute('SELECT 1 WHERE a = %s', [b])"),
]


@pytest.mark.parametrize(("path", "text"), BROKEN)
def test_a_breach_is_found(path: str, text: str) -> None:
    assert breaches(path, text)


@pytest.mark.parametrize(("path", "text"), FINE)
def test_what_is_right_passes(path: str, text: str) -> None:
    assert not breaches(path, text)


@pytest.mark.parametrize("text", ["{{ name|safe }}", "<a onclick='x()'>", "<script>x()</script>", '<p style="x">'])
def test_a_breach_in_a_template_is_found(text: str) -> None:
    assert template_breaches("templates/x.html", text)


@pytest.mark.parametrize(
    "path", sorted(str(p.relative_to(BASE / "templates")) for p in BASE.glob("templates/**/*.html"))
)
def test_every_template_compiles(path: str) -> None:
    get_template(path)
