"""How people with accounts come in."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from chatter.accounts.attempts import OF_ACCOUNT_AND_NETWORK
from tests.client.accounts.actions import (
    dialog,
    expect_account,
    expect_guest,
    fills,
    opens_account,
    signs_in_as,
    signs_out,
)
from tests.client.accounts.conftest import SignIn
from tests.client.axe import violations
from tests.client.conftest import Visit
from tests.client.little_storage import WITHOUT_STORAGE
from tests.client.person import Person
from tests.client.sessions import PASSWORD, new_account, numbers, sign_in
from tests.support.server import Server, run_to_its_end

pytestmark = pytest.mark.browser

TRIES = OF_ACCOUNT_AND_NETWORK.burst


def test_the_first_admin_comes_by_the_link_of_the_terminal_which_works_once(
    browser: Browser, tmp_path: Path, room: str
) -> None:
    with Server(tmp_path / "chatter.db") as server:
        (link,) = re.findall(r"chl_\w+", (tmp_path / "setup-link").read_text())
        ann = Person(browser.new_page(locale="en-GB"), server)
        ann.page.goto(f"{server.url}/rooms/{room}#link={link}")
        form = dialog(ann, "Become the admin")
        expect(form).to_be_visible()
        assert ann.page.url == f"{server.url}/rooms/{room}"
        fills(form, handle="ann", password=PASSWORD)
        expect_account(ann, "ann")
        assert ann.page.url == f"{server.url}/rooms/{room}"
        ann.page.goto(f"{server.url}/#link={link}")
        expect(dialog(ann, "The link does not work")).to_contain_text("used")
        ann.page.close()


@pytest.mark.usefixtures("refusals")
def test_an_admin_makes_a_link_that_signs_somebody_in(visit: Visit, signs_in: SignIn, server: Server) -> None:
    handle = new_account(server)
    options = [f"--database={server.database_url}", f"--spool-folder={server.database.parent}"]
    assert run_to_its_end("account", "role", handle, "admin", *options).exit_code == 0
    admin, other = visit(session=sign_in(server, handle)), visit("visitor")
    opened, bo = opens_account(admin, "Links"), new_account(server, "bo")
    field, make = opened.get_by_label("Handle"), opened.get_by_role("button", name="Make a link")
    field.fill("nobody")
    make.click()
    expect(opened.get_by_role("alert").filter(has_text="Nobody here is called @nobody.")).to_be_visible()
    expect(field).to_be_focused()
    link = ""
    for typed, kind, title in (
        (bo, "Signs in once", f"Sign in as @{bo}?"),
        (f" @{bo.upper()}", "Chooses a new password", "Choose a new password"),
    ):
        field.fill(typed)
        opened.get_by_label(kind).check()
        make.click()
        expect(field).to_have_value("")
        shown = opened.get_by_role("status").filter(has_text=f"Copy the link for @{bo} now")
        expect(shown.get_by_role("button", name="Copy")).to_be_visible()
        expect(shown.locator("code")).not_to_have_text(link)
        link = shown.locator("code").inner_text()
        other.page.goto(link)
        expect(dialog(other, title)).to_be_visible()
    assert violations(admin.page) == []
    member = signs_in()
    expect(opens_account(member, "Invites").get_by_role("button", name="Links")).to_have_count(0)


def test_a_guest_who_signs_up_keeps_the_room_and_what_was_written(visit: Visit, room: str) -> None:
    ann = visit("Ann Lee")
    ann.says("as a guest")
    ann.expect_said("as a guest")
    ann.composer.fill("half a thought")
    ann.page.locator(".me").get_by_role("button", name="Sign in").click()
    ann.button("Create an account").click()
    form = dialog(ann, "Create an account")
    expect(form.locator("input[name=handle]")).to_have_value("ann.lee")
    expect(form.locator("input[name=name]")).to_have_value("Ann Lee")
    handle = f"ann{next(numbers)}"
    form.locator("input[name=handle]").fill(handle.upper())
    fills(form, password=PASSWORD)
    expect_account(ann, handle)
    assert ann.page.url.endswith(f"/rooms/{room}")
    expect(ann.composer).to_have_value("half a thought")
    expect(ann.page.locator(".me .name")).to_have_text("Ann Lee")
    ann.composer.press("Control+Enter")
    expect(ann.message("half a thought").locator(".you")).to_be_visible()
    expect(ann.message("as a guest").locator(".you")).to_have_count(0)


@pytest.mark.usefixtures("outage")
def test_what_was_written_stays_where_the_browser_keeps_nothing(visit: Visit, handle: str, room: str) -> None:
    ann = visit()
    ann.page.context.add_init_script(WITHOUT_STORAGE)
    ann.goes_to(room)
    ann.composer.fill("half a thought")
    signs_in_as(ann, handle)
    expect(dialog(ann, "Sign in")).to_have_count(0)
    expect(ann.composer).to_have_value("half a thought")
    ann.composer.press("Control+Enter")
    expect(ann.message("half a thought").locator(".you")).to_be_visible()
    ann.expect_said("half a thought")


def test_who_has_no_cookies_reads_why_they_are_not_signed_in(visit: Visit, handle: str) -> None:
    def loses_cookies(route: Route) -> None:
        answer = route.fetch()
        ann.page.context.clear_cookies()  # first: the page asks who it is as soon as it has the answer
        route.fulfill(response=answer, headers={**answer.headers, "set-cookie": ""})

    ann = visit("visitor")
    ann.page.route("**/api/sessions", loses_cookies)
    ann.page.locator(".me").get_by_role("button", name="Sign in").click()
    form = dialog(ann, "Sign in")
    fills(form, handle=handle, password=PASSWORD)
    expect(form.get_by_role("alert").filter(has_text="keeps no cookies")).to_be_visible()
    expect(ann.page.locator(".me .name")).to_have_text("visitor")


@pytest.mark.usefixtures("refusals")
def test_what_is_wrong_is_said_beside_the_field(visit: Visit, handle: str) -> None:
    ann = visit("visitor")
    ann.page.locator(".me").get_by_role("button", name="Sign in").click()
    form = dialog(ann, "Sign in")
    fills(form, handle=handle, password="not the password")
    password = form.locator("input[name=password]")
    expect(password).to_be_focused()
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(password).to_have_accessible_description(re.compile("That is not the password of this account"))
    fills(form, password=PASSWORD)
    expect_account(ann, handle)
    signs_out(ann)
    ann.page.locator(".me").get_by_role("button", name="Sign in").click()
    ann.button("Create an account").click()
    fills(dialog(ann, "Create an account"), handle=handle, password=PASSWORD)
    taken = dialog(ann, "Create an account").locator("input[name=handle]")
    expect(taken).to_have_accessible_description(re.compile("Somebody has this handle"))


@pytest.mark.usefixtures("refusals")
def test_after_too_many_tries_the_page_counts_the_time_down_and_judges_no_password(visit: Visit, handle: str) -> None:
    ann = visit("visitor")
    ann.page.locator(".me").get_by_role("button", name="Sign in").click()
    form = dialog(ann, "Sign in")
    password = form.locator("input[name=password]")
    for _ in range(TRIES):
        with ann.page.expect_response("**/api/sessions"):
            fills(form, handle=handle, password="not the password")
        expect(password).to_have_attribute("aria-invalid", "true")
    ann.page.clock.install()
    fills(form, password=PASSWORD)
    said = form.get_by_role("alert").filter(has_text=re.compile(r"^There were too many tries\. Try again in [15]"))
    expect(said).to_be_visible()
    expect(password).to_have_attribute("aria-invalid", "false")
    expect(form).not_to_contain_text("not the password")
    ann.page.clock.run_for(20_000)
    counted = form.get_by_text(re.compile(r"^Try again in [1-4]\d seconds\.$"))
    expect(counted).to_be_visible()
    assert violations(ann.page) == []
    ann.page.clock.run_for(60_000)
    expect(form.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)


def test_the_page_knows_whose_it_is_before_the_server_says_so(signs_in: SignIn, handle: str) -> None:
    ann = signs_in()
    held: list[Any] = []

    def hold(route: Route) -> None:
        held.append(route)

    ann.page.route("**/api/me", hold)
    ann.reloads()
    expect_account(ann, handle)
    ann.says("at once")
    ann.expect_said("at once")
    assert held


def test_where_accounts_are_required_one_signs_in_first(browser: Browser, tmp_path: Path, room: str) -> None:
    with Server(tmp_path / "chatter.db", accounts="required", sign_up="open") as server:
        ann = Person(browser.new_page(locale="en-GB"), server)
        ann.page.goto(f"{server.url}/rooms/{room}")
        form = dialog(ann, "Sign in")
        expect(form).to_be_visible()
        expect(ann.name_dialog).to_have_count(0)
        ann.composer.fill("hello")
        ann.composer.press("Control+Enter")
        expect(form.locator("input[name=handle]")).to_be_focused()
        ann.button("Create an account").click()
        fills(dialog(ann, "Create an account"), handle="ann", name="Ann", password=PASSWORD)
        expect_account(ann, "ann")
        expect(ann.composer).to_have_value("hello")
        ann.composer.press("Control+Enter")
        ann.expect_said("hello")
        ann.page.close()


def test_at_the_gate_the_page_asks_for_nothing_that_needs_an_account(
    browser: Browser, tmp_path: Path, room: str
) -> None:
    with Server(tmp_path / "chatter.db", accounts="required") as server:
        ann = Person(browser.new_page(locale="en-GB"), server)
        ann.page.clock.install()
        ann.page.goto(f"{server.url}/rooms/{room}")
        expect(dialog(ann, "Sign in")).to_be_visible()
        asked: list[str] = []
        ann.page.on("request", lambda request: asked.append(request.url))
        ann.page.clock.run_for(130_000)
        ann.page.evaluate("() => fetch('/healthz')")  # what was asked before is noted by then
        # Other than for the providers, which the form may ask for late.
        assert [url for url in asked if "/api/" in url and not url.endswith("/api/oidc")] == []
        ann.page.close()


def test_an_invite_that_is_typed_leads_into_its_room(browser: Browser, tmp_path: Path, room: str) -> None:
    with Server(tmp_path / "chatter.db", sign_up="invite") as server:
        invited = run_to_its_end("invite", f"--room={room}", f"--database={server.database_url}")
        (code,) = re.findall(r"#invite=(\w+)", invited.stdout)
        ann = Person(browser.new_page(locale="en-GB"), server)
        ann.page.goto(f"{server.url}/rooms/lobby")
        ann.page.locator(".me").get_by_role("button", name="Sign in").click()
        dialog(ann, "Sign in").get_by_role("button", name="Create an account").click()
        fills(dialog(ann, "Create an account"), handle="ann", password=PASSWORD, invite=f" {code} ")
        expect_account(ann, "ann")
        expect(ann.page).to_have_url(ann.address_of(room))
        ann.page.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sign_up": "closed"}, "New accounts are made by an admin here."),
        ({"accounts": "off"}, "There are no accounts on this server"),
    ],
    ids=["closed", "off"],
)
def test_an_invite_offers_no_account_where_nobody_gets_one(
    browser: Browser, tmp_path: Path, room: str, options: dict[str, Any], words: str
) -> None:
    with Server(tmp_path / "chatter.db", **options) as server:
        ann = Person(browser.new_page(locale="en-GB"), server)
        ann.page.goto(f"{server.url}/rooms/{room}#invite=abcdefghij")
        expect(ann.page.get_by_text(words)).to_be_visible()
        expect(dialog(ann, "Create an account")).to_have_count(0)
        if options.get("accounts") == "off":
            expect(ann.page).to_have_url(ann.address_of(room))
        ann.page.close()


def test_labels_mean_the_fields_of_their_own_form_where_two_are_open(
    browser: Browser, tmp_path: Path, room: str
) -> None:
    with Server(tmp_path / "chatter.db", accounts="required") as server:
        ann = Person(browser.new_page(locale="en-GB"), server)
        ann.page.goto(f"{server.url}/rooms/{room}#invite=abcdefghij")
        form = dialog(ann, "Create an account")
        expect(form.locator("input[name=handle]")).to_be_focused()
        expect(ann.page.locator(".welcome.sign-in")).to_be_visible()
        form.locator("input[name=password]").focus()
        form.get_by_text("Handle", exact=True).click()
        expect(form.locator("input[name=handle]")).to_be_focused()
        ids = ann.page.evaluate("() => [...document.querySelectorAll('[id]')].map(({ id }) => id)")
        assert len(ids) == len(set(ids))
        ann.page.close()


def test_an_account_needs_no_pointer(visit: Visit, handle: str) -> None:
    ann = visit("visitor")
    keyboard = ann.page.keyboard
    ann.page.locator(".me").get_by_role("button", name="Sign in").focus()
    keyboard.press("Enter")
    expect(dialog(ann, "Sign in").locator("input[name=handle]")).to_be_focused()
    keyboard.type(handle)
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect_account(ann, handle)
    ann.button("Your account").focus()
    keyboard.press("Enter")
    expect(ann.page.get_by_role("menuitem", name="Account…")).to_be_focused()
    keyboard.press("Enter")
    expect(dialog(ann, "Your account")).to_be_visible()
    keyboard.press("Escape")
    expect(dialog(ann, "Your account")).to_have_count(0)
    ann.button("Your account").focus()
    keyboard.press("Enter")
    keyboard.press("End")
    expect(ann.page.get_by_role("menuitem", name="Sign out")).to_be_focused()
    keyboard.press("Enter")
    expect_guest(ann)
