"""Two people for one delete: invited, shown what is theirs, asked, approved, on the record; and out at once."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import World
from tests.browser.test_pages import judge

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]
PASSPHRASE = "seven green boats at dawn"


def make_team(owner: Page, name: str) -> str:
    """Its page's address."""
    owner.goto("/teams/new/")
    owner.get_by_label("Name").fill(name)
    owner.get_by_role("button", name="Make the team").click()
    expect(owner.get_by_role("heading", name=name, exact=True)).to_be_visible()
    return owner.url


def invite(owner: Page, team: str, email: str, role: str) -> str:
    """The link, as it is shown once."""
    owner.goto(f"{team}invite/")
    owner.get_by_label("E-mail").fill(email)
    owner.get_by_label("Role", exact=True).select_option(role)
    owner.get_by_role("button", name="Invite").click()
    return owner.locator("#link").inner_text()


def join(new_page: NewPage, link: str) -> Page:
    page = new_page(signed_in=False)
    page.goto(link)
    page.get_by_label("Choose a password").fill("short")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("This password is too short")).to_be_visible()
    page.get_by_label("Choose a password").fill(PASSPHRASE)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page


def head(page: Page) -> Locator:
    return page.locator("#machine .head .st")


def to_machine(page: Page, name: str) -> None:
    page.goto(f"/instances/?q={name}")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator("#fresh")).to_contain_text("Live")


def test_an_operator_asks_and_the_owner_approves(new_page: NewPage, world: World) -> None:
    world.change(do="add", name="lab-01", instance_type="v1_cpu_medium", region="igl")
    world.change(do="add", name="lab-02", instance_type="v1_cpu_medium", region="igl")
    owner = new_page()
    owner.goto("/instances/?q=lab-0")
    expect(owner.locator("tbody tr")).to_have_count(2, timeout=30_000)
    team = make_team(owner, "Lab")
    owner.goto(f"{team}rules/")
    owner.get_by_label("Delete").check()
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_text("Delete takes two people.")).to_be_visible()
    owner.goto("/teams/give/?pattern=lab-0*")
    expect(owner.get_by_role("heading", name="2 machines")).to_be_visible()
    owner.get_by_label("To", exact=True).select_option("Lab")
    owner.get_by_role("button", name="Give them").click()
    expect(owner.get_by_text("2 machines")).to_be_visible()

    viewer = join(new_page, invite(owner, team, "violet@example.org", "viewer"))
    operator = join(new_page, invite(owner, team, "oscar@example.org", "operator"))
    for page in (viewer, operator):
        page.goto("/instances/")
        expect(page.locator("tbody tr")).to_have_count(2)
        expect(page.locator(".side")).not_to_contain_text("Record")
    expect(viewer.locator("tbody input").first).to_be_hidden()
    expect(viewer.locator(".bulk button").first).to_be_hidden()
    to_machine(viewer, "lab-01")
    expect(viewer.locator("#machine .acts a, #machine .acts button, #machine .acts summary")).to_have_count(0)

    to_machine(operator, "lab-01")
    operator.locator(".acts").get_by_role("link", name="Restart").click()
    operator.get_by_role("button", name="Restart lab-01").click()
    expect(head(viewer)).to_contain_text("Restarting…")
    expect(head(operator)).to_have_text("Running")
    to_machine(operator, "lab-02")
    operator.get_by_label("More actions").click()
    operator.get_by_role("link", name="Delete").click()
    expect(operator.locator("#dialog")).to_contain_text("In this team this takes two people.")
    operator.get_by_label("Type lab-02 to confirm").fill("lab-02")
    owner.goto("/")
    expect(owner.locator("#unread-count")).to_be_visible()
    before = owner.locator("#unread-count").inner_text()
    owner.evaluate("window.unreloaded = true")
    operator.get_by_role("button", name="Ask: Delete lab-02").click()
    expect(head(operator)).to_contain_text("Waiting for approval")
    expect(operator.get_by_role("button", name="Withdraw")).to_be_visible()
    expect(owner.locator("#unread-count")).not_to_have_text(before)  # by itself
    assert owner.evaluate("window.unreloaded")

    owner.locator(".side").get_by_role("link", name="Inbox").click()
    owner.get_by_role("link", name="Approve or reject").click()
    dialog = owner.locator("#dialog")
    expect(dialog).to_contain_text("Asked for by oscar@example.org")
    assert not judge(owner, "the second person's question")
    if dialog.get_by_label("Your password").count():
        dialog.get_by_label("Your password").fill(PASSPHRASE)
    dialog.get_by_role("button", name="Approve: Delete lab-02").click()
    expect(owner.locator("#toasts")).to_contain_text("Approved")
    expect(head(operator)).to_contain_text(re.compile("Gone|Deleting"), timeout=30_000)
    expect(head(operator)).to_contain_text("Gone", timeout=60_000)
    operator.goto("/inbox/")
    expect(operator.locator("#inbox")).to_contain_text("approved: Delete lab-02.")

    owner.goto("/record/?machine=lab-02")
    for words in ("asked: delete", "approved: delete"):
        expect(owner.locator("tbody")).to_contain_text(words)
    expect(owner.locator("tbody .st", has_text="Done").first).to_be_visible()
    owner.get_by_role("button", name="Verify now").click()
    expect(owner.locator("#record .banner")).to_contain_text("Whole", timeout=30_000)


def test_whoever_is_removed_is_at_the_door_at_once(new_page: NewPage) -> None:
    owner = new_page()
    team = make_team(owner, "Short")
    guest = join(new_page, invite(owner, team, "greta@example.org", "operator"))
    guest.goto("/instances/")
    expect(guest.get_by_role("heading", name="Instances")).to_be_visible()
    guest.wait_for_timeout(500)  # its stream is open
    owner.goto(team)
    owner.get_by_role("link", name="Remove greta@example.org").click()
    owner.get_by_role("button", name="Remove greta@example.org").click()
    expect(guest.get_by_role("heading", name="Sign in")).to_be_visible(timeout=3_000)
    guest.goto("/instances/")
    expect(guest.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_link_for_somebody_else_opens_nothing(new_page: NewPage, colleague: tuple[str, str]) -> None:
    owner = new_page()
    link = invite(owner, make_team(owner, "Elsewhere"), "nobody@example.org", "viewer")
    vera = new_page(who=colleague)
    vera.goto(link)
    expect(vera.get_by_role("heading", name="This invitation is for another address")).to_be_visible()
    assert not judge(vera, "an invitation of somebody else")
    stranger = new_page(signed_in=False, viewport={"width": 320, "height": 640}, color_scheme="dark")
    stranger.goto(link)
    expect(stranger.get_by_text("You will sign in with")).to_be_visible()
    assert not judge(stranger, "an invitation")
