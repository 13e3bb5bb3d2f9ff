"""People with accounts: how they come in, what others see of them, and that nothing of theirs stays behind."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.client.axe import DARK, FORCED, LIGHT, Look, violations, violations_in
from tests.client.conftest import Speaks, Visit
from tests.client.person import PHONE, Person
from tests.client.sessions import PASSWORD, new_account, numbers, send, sign_in
from tests.support.database import query
from tests.support.server import Server, run_to_its_end, wait_until

pytestmark = pytest.mark.browser

SignIn: TypeAlias = Callable[..., Person]

KEPT = """async () => {
  const databases = (await indexedDB.databases()).map(({ name }) => name);
  const kept = [...Object.keys(localStorage), ...Object.keys(sessionStorage), ...databases];
  return kept.filter(key => key.startsWith("chatter:@"));
}"""
"""What the browser keeps for accounts."""

IS_ON_TOP = """element => {
  const { left, top, width, height } = element.getBoundingClientRect();
  return document.elementFromPoint(left + width / 2, top + height / 2) === element;
}"""
"""Nothing covers the element."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts a server on which anybody may create an account."""
    with Server(tmp_path_factory.mktemp("server") / "chatter.db", sign_up="open") as running:
        yield running


@pytest.fixture
def handle(server: Server) -> str:
    """An account of somebody called like its handle."""
    return new_account(server)


@pytest.fixture
def signs_in(visit: Visit, server: Server, handle: str) -> SignIn:
    """`signs_in()` opens a page in a new browser, signed in with the account, where it has been before."""

    def signs_in(**options: Any) -> Person:
        return visit(session=sign_in(server, handle), **options)

    return signs_in


def signs_in_as(person: Person, handle: str, password: str = PASSWORD) -> None:
    """Signs in by the dialog, and waits for the page of the account."""
    person.page.locator(".me").get_by_role("button", name="Sign in").click()
    fills(dialog(person, "Sign in"), handle=handle, password=password)
    expect_account(person, handle)


def fills(form: Locator, **values: str) -> None:
    """Fills fields by their names, and sends the form."""
    for name, value in values.items():
        form.locator(f"input[name={name}]").fill(value)
    form.locator(f"input[name={name}]").press("Enter")


def dialog(person: Person, name: str) -> Locator:
    return person.page.get_by_role("dialog", name=name)


def handle_of(person: Person) -> str:
    return person.page.locator(".me .handle").inner_text().removeprefix("@")


def expect_account(person: Person, handle: str) -> None:
    expect(person.page.locator(".me .handle")).to_have_text(f"@{handle}")
    person.expect_connected()


def expect_guest(person: Person) -> None:
    expect(person.page.locator(".me .handle")).to_have_text("guest")


def opens_account(person: Person, part: str) -> Locator:
    """Opens a part of the dialog about the account."""
    person.button("Your account").click()
    person.page.get_by_role("menuitem", name="Account…").click()
    opened = dialog(person, "Your account")
    opened.get_by_role("button", name=part, exact=True).click()
    return opened


def signs_out(person: Person, *, with_words: bool = False) -> None:
    """Signs out; a person with words that were not sent is asked before."""
    asks_to_sign_out(person)
    if with_words:
        dialog(person, "Sign out?").get_by_role("button", name="Sign out").click()
    expect_guest(person)


def asks_to_sign_out(person: Person) -> None:
    person.button("Your account").click()
    person.page.get_by_role("menuitem", name="Sign out").click()


def expect_nothing_kept(page: Page) -> None:
    """Waits until nothing is kept for accounts: a database goes as soon as the last tab has closed it."""
    wait_until(lambda: page.evaluate(KEPT) == [])


# ---- Coming in


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
        other.page.goto(shown.locator("code").inner_text())
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


# ---- Going out


def test_nothing_of_an_account_stays_behind(signs_in: SignIn, room: str, refusals: None) -> None:
    ann = signs_in()
    ann.says("hello")
    ann.expect_said("hello")
    ann.composer.fill("nobody else's business")
    other = ann.opens_another_page()
    other.goes_to(room)
    expect(other.composer).to_have_value("nobody else's business")
    assert ann.page.evaluate(KEPT) != []
    signs_out(ann, with_words=True)
    expect_guest(other)
    for page in (ann.page, other.page):
        expect_nothing_kept(page)
        assert "chatter" not in {each["name"] for each in page.context.cookies()}
    expect(ann.composer).to_have_value("")
    expect(other.composer).to_have_value("")
    expect(ann.message("hello").locator(".you")).to_have_count(0)


def test_who_would_lose_words_by_signing_out_is_asked_once(signs_in: SignIn, speaks: Speaks) -> None:
    ann, bo = signs_in(), speaks("bo")
    bo.says("question")
    ann.message("question").hover()
    ann.button("Reply").click()
    bo.deletes("question")
    expect(ann.strip).to_contain_text("original deleted")
    ann.says("answer")
    expect(ann.not_sent).to_be_visible()
    ann.composer.fill("half a thought")
    question = dialog(ann, "Sign out?")
    for key in ("Enter", "Escape"):
        asks_to_sign_out(ann)
        expect(question).to_contain_text("One message is not sent. There is a draft.")
        expect(question.get_by_role("button", name="Stay signed in")).to_be_focused()
        ann.page.keyboard.press(key)
        expect(question).to_have_count(0)
    expect(ann.composer).to_have_value("half a thought")
    ann.button("send without the reply").click()
    ann.expect_said("answer")
    asks_to_sign_out(ann)
    expect(question).not_to_contain_text("not sent")
    question.get_by_role("button", name="Sign out").click()
    expect_guest(ann)


def test_unsent_words_of_an_account_are_not_sent_by_the_next_person(
    signs_in: SignIn, speaks: Speaks, server: Server, room: str, outage: None
) -> None:
    ann = signs_in()
    ann.page.context.set_offline(True)
    ann.says("only mine")
    expect(ann.message("only mine")).not_to_have_attribute("data-state", "said")
    ann.page.evaluate("window.stop()")
    ann.page.context.set_offline(False)
    ann.expect_said("only mine")
    signs_out(ann)
    signs_in_as(ann, new_account(server))
    expect(ann.message("only mine").locator(".you")).to_have_count(0)
    speaks("bo").expect_said("only mine")


@pytest.mark.usefixtures("refusals")
def test_a_session_that_another_browser_ends_is_over_at_once(signs_in: SignIn, handle: str) -> None:
    here, there = signs_in(), signs_in()
    there.composer.fill("not finished")
    opened = opens_account(here, "Signed in")
    sessions = sessions_of(opened)
    expect(sessions.filter(has_text="this browser")).to_have_count(1)
    with here.page.expect_websocket():  # the former one ends with the former cookie
        opened.get_by_role("button", name="Sign out everywhere else").click()
    expect(sessions).to_have_count(1)
    expect_guest(there)
    expect(there.notices).to_contain_text("You were signed out")
    expect_nothing_kept(there.page)
    expect(there.composer).to_have_value("")
    there.button("Dismiss").click()
    there.expect_connected()
    there.reloads()
    expect_guest(there)
    expect(there.notices).to_be_empty()
    expect_account(here, handle)


def sessions_of(opened: Locator) -> Locator:
    return opened.get_by_role("list", name="Where you are signed in").get_by_role("listitem")


def renames(session: Locator) -> Locator:
    """Opens the field with the name of a session, and returns it."""
    field = session.page.get_by_role("dialog").get_by_role("textbox")
    session.get_by_role("button", name="Rename").click()
    expect(field).to_be_focused()
    return field


def test_a_session_is_renamed_by_keys_until_its_name_is_emptied(signs_in: SignIn) -> None:
    ann = signs_in()
    opened, keyboard = opens_account(ann, "Signed in"), ann.page.keyboard
    session = sessions_of(opened).filter(has_text="this browser")
    session.get_by_role("button").focus()
    for typed, key, name in (
        ("the laptop", "Enter", "the laptop"),
        ("something else", "Escape", "the laptop"),
        ("  ", "Enter", "Chrome on Linux"),
    ):
        keyboard.press("Enter")
        expect(opened.get_by_role("textbox")).to_be_focused()
        keyboard.type(typed)  # over the former name, which is selected
        keyboard.press(key)
        expect(session).to_have_text(re.compile(f"^{name} this browser"))
        expect(session.get_by_role("button", name=f"Rename {name}")).to_be_focused()


def test_the_name_of_a_session_is_the_same_in_another_browser(signs_in: SignIn) -> None:
    here, there = signs_in(), signs_in()
    opened = opens_account(here, "Signed in")
    session = sessions_of(opened).filter(has_not_text="this browser").filter(has_text="Chrome on Linux")
    field = renames(session)
    expect(field).to_have_accessible_name("Name of Chrome on Linux")
    field.fill("left alone")
    opened.get_by_role("button", name="Cancel").click()
    field = renames(session)
    expect(field).to_have_value("")
    field.fill("the <b>phone</b>")
    opened.get_by_role("button", name="Save").click()
    expect(sessions_of(opened).filter(has_text="the <b>phone</b>")).to_have_count(1)
    seen = sessions_of(opens_account(there, "Signed in")).filter(has_text="this browser")
    expect(seen).to_have_text(re.compile("^the <b>phone</b>"))


@pytest.mark.usefixtures("refusals")
def test_a_name_that_cannot_be_saved_stays_in_its_field_and_that_is_said(signs_in: SignIn) -> None:
    here, there = signs_in(), signs_in()
    opened = opens_account(here, "Signed in")
    field = renames(sessions_of(opened).filter(has_not_text="this browser").filter(has_text="Chrome on Linux"))
    field.fill("the phone")
    here.page.route("**/api/sessions/*", lambda route: route.fulfill(status=429, json={"reason": "rate_limited"}))
    field.press("Enter")
    expect(opened.get_by_role("alert")).to_have_text("That was too often.")
    expect(field).to_have_value("the phone")
    expect(field).to_be_focused()
    here.page.unroute("**/api/sessions/*")
    signs_out(there)
    field.press("Enter")
    expect(opened.get_by_role("alert")).to_have_text("It is not there any more.")
    expect(field).to_have_count(0)
    expect(opened.get_by_role("list", name="Where you are signed in")).to_be_focused()


# ---- Who is who


def test_a_guest_whose_name_is_somebodys_takes_another_and_what_was_written_is_sent(
    visit: Visit, speaks: Speaks, handle: str, room: str
) -> None:
    bo = speaks("bo")
    guest = visit(to=room)
    guest.composer.fill("hello")
    guest.takes_name(handle)
    taken = dialog(guest, "This name is taken")
    expect(taken.get_by_role("textbox")).to_have_value(f"{handle} (guest)")
    guest.page.keyboard.press("Enter")
    expect(taken).to_have_count(0)
    guest.expect_connected()
    guest.composer.press("Control+Enter")
    bo.expect_said("hello")
    assert bo.author_of("hello") == f"{handle} (guest)"


def test_words_that_were_said_before_a_name_was_taken_wait_for_another(
    visit: Visit, speaks: Speaks, server: Server, room: str
) -> None:
    guest, bo = visit(f"eve{next(numbers)}"), speaks("bo")
    guest.says("first")
    guest.expect_said("first")
    name = guest.page.locator(".me .name").inner_text()
    send(server, "POST", "/api/accounts", {"handle": name, "password": PASSWORD}).close()
    guest.says("second")
    taken = dialog(guest, "This name is taken")
    expect(taken).to_be_visible()
    taken.get_by_role("button", name="Take this name").click()
    bo.expect_said("first", "second")
    assert bo.author_of("second") == f"{name} (guest)"


def test_guests_are_seen_to_be_guests_and_people_with_accounts_not(
    visit: Visit, speaks: Speaks, server: Server, handle: str
) -> None:
    bo, ann = visit("bo"), speaks("ann", session=sign_in(server, handle))
    bo.says("hi")
    ann.expect_said("hi")
    ann.says("hello")
    bo.expect_said("hi", "hello")
    expect(bo.people.get_by_role("listitem")).to_have_count(2)
    expect(bo.people.get_by_role("listitem").filter(has_text="bo")).to_contain_text("guest")
    expect(bo.people.get_by_role("listitem").filter(has_text=handle)).not_to_contain_text("guest")
    expect(bo.message("hi").locator(".byline")).to_contain_text("(guest)")
    expect(bo.message("hello").locator(".byline")).not_to_contain_text("(guest)")
    expect(bo.message("hello").locator(".author")).to_have_attribute("title", f"@{handle}")
    expect(bo.message("hi").locator(".avatar.guest")).to_be_visible()
    expect(bo.message("hello").locator(".avatar.guest")).to_have_count(0)


def test_guests_are_seen_to_be_guests_before_the_server_has_told_of_accounts(
    visit: Visit, speaks: Speaks, server: Server, handle: str
) -> None:
    bo, ann = visit("bo"), speaks("ann", session=sign_in(server, handle))
    bo.says("hi")
    ann.expect_said("hi")
    ann.says("hello")
    bo.expect_said("hi", "hello")
    ann.leaves()
    expect(bo.people.get_by_role("listitem")).to_have_count(1)
    bo.page.route("**/api/me", lambda route: None)  # never answered
    bo.page.evaluate("localStorage.removeItem('chatter:server')")
    bo.reloads()
    bo.expect_said("hi", "hello")
    expect(bo.message("hi").locator(".avatar.guest")).to_be_visible()


def test_guests_are_seen_to_be_guests_as_soon_as_somebody_has_an_account(
    browser: Browser, tmp_path: Path, room: str
) -> None:
    with Server(tmp_path / "chatter.db", sign_up="open") as server:
        bo = Person(browser.new_page(locale="en-GB"), server)
        bo.goes_to(room)
        bo.takes_name("bo")
        bo.says("hello")
        bo.expect_said("hello")
        avatar = bo.message("hello").locator(".avatar")
        expect(avatar).not_to_have_class(re.compile("guest"))
        ann = Person(browser.new_page(locale="en-GB"), server)
        ann.goes_to(room)
        ann.takes_name("ann")
        signs_in_as(ann, new_account(server))
        expect(avatar).to_have_class(re.compile("guest"))
        for person in (ann, bo):
            person.page.close()


def test_own_messages_can_be_changed_from_another_device(
    signs_in: SignIn, speaks: Speaks, server: Server, handle: str
) -> None:
    here, there = speaks("ann", session=sign_in(server, handle)), signs_in()
    here.says("teh tea")
    there.expect_said("teh tea")
    expect(there.message("teh tea").locator(".you")).to_be_visible()
    there.composer.press("ArrowUp")
    there.composer.fill("the tea")
    there.composer.press("Control+Enter")
    there.expect_said("the tea")
    expect(there.people.get_by_role("listitem")).to_have_count(1)
    expect(there.people).to_contain_text("2 windows")


def test_the_words_of_an_edit_outlive_the_tab_in_which_it_was_begun(signs_in: SignIn) -> None:
    person = signs_in()
    person.says("teh tea")
    person.expect_said("teh tea")
    person.composer.press("ArrowUp")
    person.page.keyboard.type(" is ready")
    url, tab = person.page.url, person.opens_another_page()
    person.page.close()
    tab.page.goto(url)
    tab.expect_said("teh tea")
    tab.composer.press("ArrowUp")
    expect(tab.composer).to_have_value("teh tea is ready")
    expect(tab.button("Start over")).to_be_visible()


def test_another_name_is_seen_at_once_and_what_was_said_stays_ones_own(signs_in: SignIn, speaks: Speaks) -> None:
    ann, bo = signs_in(), speaks("bo")
    ann.says("hello")
    bo.expect_said("hello")
    fills(opens_account(ann, "Profile"), name="Ann the Second")
    expect(ann.page.locator(".me .name")).to_have_text("Ann the Second")
    ann.page.keyboard.press("Escape")
    ann.says("again")
    assert bo.author_of("again") == "Ann the Second"
    expect(ann.message("hello").locator(".you")).to_have_count(1)
    assert ann.page.evaluate("JSON.parse(localStorage['chatter:account']).name") == "Ann the Second"


# ---- The account


def test_a_token_is_shown_once_and_works_until_it_is_revoked(signs_in: SignIn, server: Server, handle: str) -> None:
    ann = signs_in()
    opened = opens_account(ann, "Tokens")
    fills(opened, label="Weather")
    token = opened.locator(".shown-once code").inner_text()
    ask = urllib.request.Request(f"{server.url}/api/me", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(ask) as answer:
        assert json.load(answer)["handle"] == handle
    opened.get_by_role("button", name="Revoke Weather").click()
    expect(opened.get_by_role("list", name="Access tokens").get_by_role("listitem")).to_have_count(0)
    expect(opened.get_by_text("You have none.")).to_be_focused()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(ask)


@pytest.mark.usefixtures("refusals")
def test_who_signed_in_long_ago_shows_the_password_before_a_token_is_made(
    signs_in: SignIn, server: Server, handle: str
) -> None:
    ann = signs_in()
    query(server.database_url, "UPDATE secret SET created_at = '2020-01-01T00:00:00.000000Z' WHERE kind = 'session'")
    opened = opens_account(ann, "Tokens")
    fills(opened, label="Weather")
    asked = dialog(ann, "Show that it is you")
    asked.get_by_role("button", name="Cancel").click()
    expect(opened).to_contain_text("Show first that it is you.")
    expect(opened.locator("input[name=label]")).to_have_value("Weather")
    fills(opened, label="Weather")
    fills(asked, password="guessed wrong")
    expect(asked).to_contain_text("That is not the password of this account.")
    fills(asked, password=PASSWORD)
    expect(opened.locator(".shown-once code")).to_contain_text("cha_")
    expect(asked).to_have_count(0)


@pytest.mark.usefixtures("refusals")
def test_another_password_is_asked_for_at_the_next_sign_in(signs_in: SignIn, handle: str) -> None:
    ann, elsewhere = signs_in(), signs_in()
    opened = opens_account(ann, "Profile")
    with ann.page.expect_websocket():  # the former one ends with the former cookie
        fills(opened, old_password=PASSWORD, password="eight green bottles")
    toast = opened.locator(".toast")
    expect(toast).to_contain_text("Your password is changed")
    assert toast.evaluate(IS_ON_TOP)
    expect_guest(elsewhere)
    ann.page.keyboard.press("Escape")
    signs_out(ann)
    signs_in_as(ann, handle, "eight green bottles")


def test_who_deletes_the_account_is_a_guest_again(signs_in: SignIn, handle: str) -> None:
    ann = signs_in()
    opened = opens_account(ann, "Leave")
    opened.get_by_role("button", name="Delete my account").click()
    expect(opened.get_by_label("Stays, as said by a “deleted account”")).to_be_checked()
    expect(opened.locator("input[name=password]")).to_be_focused()
    fills(opened, password=PASSWORD)
    expect_guest(ann)
    expect(ann.notices).to_contain_text("Sign in within 7 days to come back")
    expect_nothing_kept(ann.page)
    signs_in_as(ann, handle)
    expect(ann.notices).to_contain_text("You came back: your account is not deleted.")


def test_an_open_page_shows_what_is_left_of_who_is_gone(
    server: Server, visit: Visit, speaks: Speaks, handle: str
) -> None:
    ann = speaks("ann", session=sign_in(server, handle))
    ann.says("hers", "hers too")
    ann.leaves()
    bo = visit("bo")
    bo.message("hers").hover()
    bo.button("Reply").click()
    bo.says("an answer")
    expect(bo.message("an answer").locator(".quote")).to_contain_text("hers")
    options = [f"--database={server.database_url}", f"--spool-folder={server.database.parent}"]
    assert run_to_its_end("account", "erase", handle, "--messages=erase", *options).exit_code == 0
    expect(bo.page.locator(".gone")).to_contain_text("Message deleted")  # the other one leaves nothing, so soon
    expect(bo.message("hers too")).to_have_count(0)
    expect(bo.message("an answer").locator(".quote")).to_contain_text("original deleted")
    expect(bo.page.locator("body")).not_to_contain_text(handle)
    bo.reloads()
    expect(bo.message("an answer").locator(".quote")).to_contain_text("original deleted")
    expect(bo.page.locator("body")).not_to_contain_text(handle)


def test_the_parts_of_the_account_have_one_height_and_the_first_needs_no_scrolling(signs_in: SignIn) -> None:
    ann = signs_in()
    opened = opens_account(ann, "Leave")
    for width, height in ((1440, 900), (1024, 768), (390, 844)):
        ann.page.set_viewport_size({"width": width, "height": height})
        box = opened.bounding_box()
        for part in ("Signed in", "Tokens", "Invites", "Leave", "Profile"):
            opened.get_by_role("button", name=part, exact=True).click()
            expect(opened.get_by_role("button", name=part, exact=True)).to_have_attribute("aria-current", "true")
            assert opened.bounding_box() == box
        inside = opened.locator(".part").evaluate("part => [part.scrollHeight, part.clientHeight]")
        assert inside[0] <= inside[1]


# ---- Where guests may not talk


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


# ---- For everybody


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


@pytest.mark.parametrize(("options", "looks"), [({}, (LIGHT, DARK, FORCED)), (PHONE, (LIGHT,))])
def test_each_dialog_is_for_everybody(signs_in: SignIn, options: dict[str, Any], looks: tuple[Look, ...]) -> None:
    ann = signs_in(**options)
    if "is_mobile" in options:
        ann.button("Rooms").click()
    for part in ("Profile", "Signed in", "Tokens", "Invites", "Leave"):
        opened = opens_account(ann, part)
        expect(opened).not_to_contain_text("Loading")
        renames(sessions_of(opened).filter(has_text="this browser")) if part == "Signed in" else None
        assert violations_in(ann.page, *looks) == []
        ann.page.keyboard.press("Escape") if part == "Signed in" else None
        ann.page.keyboard.press("Escape")
        expect(opened).to_have_count(0)
    signs_out(ann)
    if "is_mobile" in options:
        ann.button("Rooms").click()
    ann.page.locator(".me").get_by_role("button", name="Sign in").click()
    expect(dialog(ann, "Sign in")).to_be_visible()
    assert violations_in(ann.page, *looks) == []
    ann.button("Create an account").click()
    expect(dialog(ann, "Create an account").locator("input[name=handle]")).to_be_focused()
    assert violations_in(ann.page, *looks) == []
