"""What people with accounts do on the page."""

from playwright.sync_api import Locator, Page, expect

from tests.client.person import Person
from tests.client.sessions import PASSWORD, Session
from tests.support.server import wait_until

ANOTHER_PASSWORD = "eight green bottles"

KEPT = """async () => {
  const databases = (await indexedDB.databases()).map(({ name }) => name);
  const kept = [...Object.keys(localStorage), ...Object.keys(sessionStorage), ...databases];
  return kept.filter(key => key.startsWith("chatter:@"));
}"""
"""What the browser keeps for accounts."""


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


def loses_session(person: Person) -> None:
    """Has the page find out in the lobby that its session is over, and comes back to the room."""
    address = person.page.url
    (cookie,) = (each for each in person.page.context.cookies() if each["name"] == "chatter")
    session = Session(person.server, handle_of(person), f"chatter={cookie['value']}")
    session.send("PUT", "/api/me", {"password": ANOTHER_PASSWORD, "old_password": PASSWORD}).close()
    person.room("lobby").click()
    expect(person.banner).to_contain_text("You are not signed in any more.")
    person.page.go_back()
    expect(person.page).to_have_url(address)


def expect_nothing_kept(page: Page) -> None:
    """Waits until nothing is kept for accounts: a database goes as soon as the last tab has closed it."""
    wait_until(lambda: page.evaluate(KEPT) == [])


def sessions_of(opened: Locator) -> Locator:
    return opened.get_by_role("list", name="Where you are signed in").get_by_role("listitem")


def renames(session: Locator) -> Locator:
    """Opens the field with the name of a session, and returns it."""
    field = session.page.get_by_role("dialog").get_by_role("textbox")
    session.get_by_role("button", name="Rename").click()
    expect(field).to_be_focused()
    return field
