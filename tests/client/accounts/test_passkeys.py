"""Signing in without a password on the page: with passkeys of a virtual authenticator, and by an OpenID provider."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.client.accounts.actions import (
    dialog,
    expect_account,
    expect_guest,
    fills,
    handle_of,
    loses_session,
    opens_account,
    signs_in_as,
    signs_out,
)
from tests.client.axe import DARK, FORCED, LIGHT, Look, violations, violations_in
from tests.client.conftest import Visit
from tests.client.person import PHONE, Person
from tests.client.sessions import PASSWORD, new_account, numbers, sign_up
from tests.client.watch import Watch
from tests.support.chromium import add_authenticator
from tests.support.oidc_provider import SECRET, OidcProvider
from tests.support.server import Server, run_to_its_end

pytestmark = pytest.mark.browser

CANCELS = """kind => {
  window.asked = new Promise(resolve => {
    navigator.credentials[kind] = async () => {
      resolve();
      throw new DOMException("", "NotAllowedError");
    };
  });
}"""
"""Plays a person who cancels the browser's question, which a virtual authenticator never does."""

GOES_ON = "kind => { delete navigator.credentials[kind]; }"

OLD_BROWSER = "delete PublicKeyCredential.parseRequestOptionsFromJSON;"


class NamedServer(Server):
    """A server whose page is opened by a name: an IP address has no passkeys."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def its_provider() -> Iterator[OidcProvider]:
    with OidcProvider() as started:
        yield started


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, its_provider: OidcProvider) -> Iterator[Server]:
    """Starts a server on which anybody may create an account, also by a provider."""
    database, secret = tmp_path_factory.mktemp("server") / "chatter.db", {"CHATTER_OIDC_SECRET_TEST": SECRET}
    with NamedServer(database, secret, sign_up="open", oidc=its_provider.setting()) as running:
        yield running


@pytest.fixture
def provider(its_provider: OidcProvider, watch: Watch) -> OidcProvider:
    """The provider, with another person for each test. The page may go there."""
    watch.admit(its_provider.issuer)
    its_provider.person = {"sub": f"person-{next(numbers)}", "name": "Ann Example"}
    its_provider.callback = {}
    return its_provider


@pytest.fixture
def ann(visit: Visit) -> Person:
    """A guest whose page has an authenticator, which does at once what it is asked."""
    return has_authenticator(visit("visitor"))


@pytest.fixture
def member(visit: Visit, server: Server) -> Person:
    """Somebody with an account and an authenticator."""
    return has_authenticator(visit(session=sign_up(server, "ann")))


def has_authenticator(person: Person) -> Person:
    add_authenticator(person.page)
    return person


def opens_sign_in(person: Person) -> Locator:
    person.page.locator(".me").get_by_role("button", name="Sign in").click()
    return dialog(person, "Sign in")


def by_passkey(form: Locator) -> Locator:
    return form.get_by_role("button", name="Sign in with a passkey")


def by_provider(form: Locator) -> Locator:
    return form.get_by_role("button", name="Sign in with Test ID")


def rows(opened: Locator) -> Locator:
    return opened.get_by_role("list", name="Passkeys").get_by_role("listitem")


def adds_passkey(person: Person, label: str) -> Locator:
    """Adds a passkey in the dialog about the account, which stays open."""
    opened = opens_account(person, "Passkeys")
    opened.get_by_label("What you call it").fill(label)
    opened.get_by_role("button", name="Add a passkey").click()
    expect(rows(opened).filter(has_text=label)).to_have_count(1)
    return opened


def expect_words(opened: Locator, words: str) -> None:
    expect(opened.get_by_role("alert").filter(has_text=re.compile(words))).to_be_visible()


def expect_nothing_said(person: Person, opened: Locator) -> None:
    """Waits until the browser's question is cancelled, and the page has drawn what it makes of that."""
    person.page.evaluate("() => window.asked")
    person.sees_a_frame()
    expect(opened.locator("[aria-busy=true]")).to_have_count(0)
    expect(opened.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)


# ---- Passkeys


def test_a_passkey_is_added_and_signs_in_and_needs_no_pointer(member: Person) -> None:
    handle, keyboard = handle_of(member), member.page.keyboard
    opened = opens_account(member, "Passkeys")
    expect(opened).to_contain_text("You have none.")
    for _ in range(4):  # Tokens, Invites, Leave, and the field
        keyboard.press("Tab")
    expect(opened.get_by_label("What you call it")).to_be_focused()
    keyboard.type("Laptop")
    keyboard.press("Enter")
    expect(rows(opened)).to_have_text(re.compile("^Laptop.*created .*never used"))
    expect(opened.get_by_label("What you call it")).to_have_value("")
    keyboard.press("Escape")
    signs_out(member)
    member.page.locator(".me").get_by_role("button", name="Sign in").focus()
    keyboard.press("Enter")
    form = dialog(member, "Sign in")
    expect(form.locator("input[name=handle]")).to_be_focused()
    expect(by_passkey(form)).to_be_visible()
    for _ in range(4):  # the password, Cancel, Sign in, and the button
        keyboard.press("Tab")
    expect(by_passkey(form)).to_be_focused()
    keyboard.press("Enter")
    expect_account(member, handle)
    expect(rows(opens_account(member, "Passkeys"))).to_have_text(re.compile("^Laptop.*last used"))


@pytest.mark.usefixtures("refusals")
def test_a_passkey_that_is_deleted_signs_nobody_in(member: Person) -> None:
    opened = adds_passkey(member, "Laptop")
    opened.get_by_role("button", name="Delete Laptop").click()
    expect(rows(opened)).to_have_count(0)
    expect(opened.get_by_text("You have none")).to_be_focused()
    member.page.keyboard.press("Escape")
    signs_out(member)
    form = opens_sign_in(member)
    by_passkey(form).click()
    expect_words(form, "This passkey is not known here")
    expect(form.locator("[aria-invalid=true]")).to_have_count(0)


def test_who_resets_the_password_decides_about_the_passkeys(member: Person, server: Server) -> None:
    handle = handle_of(member)
    adds_passkey(member, "Laptop")
    printed = run_to_its_end("account", "link", handle, "--reset", f"--database={server.database_url}")
    (link,) = re.findall(r"chl_\w+", printed.stdout)
    member.page.goto(f"{member.page.url}#link={link}")
    form = dialog(member, "Choose a new password")
    expect(form).to_contain_text("What else signs in to this account: A passkey")
    expect(form.get_by_label("Stays")).to_be_checked()
    assert violations(member.page) == []
    form.get_by_label("Goes").check()
    fills(form, password="eight green bottles")
    expect(form).to_have_count(0)
    expect_account(member, handle)
    expect(opens_account(member, "Passkeys")).to_contain_text("You have none.")


@pytest.mark.usefixtures("refusals")
def test_the_last_way_to_sign_in_is_kept_and_that_is_said(ann: Person, server: Server) -> None:
    handle = f"bot{next(numbers)}"
    for command in (["add", handle], ["link", handle]):  # an account without a password
        printed = run_to_its_end("account", *command, f"--database={server.database_url}")
        assert printed.exit_code == 0, printed
    (link,) = re.findall(r"chl_\w+", printed.stdout)
    ann.page.goto(f"{ann.page.url}#link={link}")
    dialog(ann, f"Sign in as @{handle}").get_by_role("button", name="Sign in").click()
    expect_account(ann, handle)
    opened = adds_passkey(ann, "Phone")
    opened.get_by_role("button", name="Delete Phone").click()
    expect_words(opened, "you could not sign in any more")
    expect(rows(opened)).to_have_count(1)


@pytest.mark.usefixtures("refusals")
def test_the_same_device_has_one_passkey_for_a_person(member: Person) -> None:
    opened = adds_passkey(member, "Laptop")
    opened.get_by_label("What you call it").fill("Again")
    opened.get_by_role("button", name="Add a passkey").click()
    expect_words(opened, "You have a passkey there already")
    expect(rows(opened)).to_have_count(1)
    said = opened.get_by_role("alert").filter(has_text=re.compile("."))
    member.page.route("**/api/passkeys/*", lambda route: route.fulfill(status=404, json={"reason": "not_found"}))
    rows(opened).get_by_role("button", name="Delete").click()
    expect(said).to_have_text(["It is not there any more."])
    member.page.unroute_all()
    opened.get_by_role("button", name="Add a passkey").click()
    expect(said).to_have_text(["You have a passkey there already."])


def test_who_cancels_is_told_nothing_and_may_try_again(member: Person) -> None:
    handle = handle_of(member)
    opened = opens_account(member, "Passkeys")
    label = opened.get_by_label("What you call it")
    label.fill("Laptop")
    member.page.evaluate(CANCELS, "create")
    label.press("Enter")
    expect_nothing_said(member, opened)
    expect(label).to_have_value("Laptop")
    member.page.evaluate(GOES_ON, "create")
    label.press("Enter")
    expect(rows(opened)).to_have_count(1)
    member.page.keyboard.press("Escape")
    signs_out(member)
    form = opens_sign_in(member)
    member.page.evaluate(CANCELS, "get")
    by_passkey(form).click()
    expect_nothing_said(member, form)
    member.page.evaluate(GOES_ON, "get")
    by_passkey(form).click()
    expect_account(member, handle)


def test_an_older_browser_has_no_buttons_for_them(visit: Visit, server: Server) -> None:
    ann = visit("visitor")
    ann.page.add_init_script(OLD_BROWSER)
    ann.reloads()
    form = opens_sign_in(ann)
    expect(by_provider(form)).to_be_visible()
    expect(by_passkey(form)).to_have_count(0)
    ann.page.keyboard.press("Escape")
    signs_in_as(ann, new_account(server))
    opened = opens_account(ann, "Passkeys")
    expect(opened).to_contain_text("This browser cannot add passkeys")
    expect(opened.get_by_role("button", name="Add a passkey")).to_have_count(0)


@pytest.mark.usefixtures("provider")
def test_where_there_are_none_the_account_says_why(visit: Visit, server: Server) -> None:
    reasons = {"not_installed": "lacks the package", "insecure": "only on https", "address": "host name"}
    ann = visit("visitor")

    def loads_where(reason: str) -> None:
        """Loads the page of a server that has no passkeys."""

        def answer(route: Route) -> None:
            fetched = route.fetch()
            body = fetched.json()
            route.fulfill(response=fetched, json={**body, "server": {**body["server"], "no_passkeys": reason}})

        ann.page.route("**/api/me", answer)  # the latest counts
        with ann.page.expect_response("**/api/me"):
            ann.reloads()
        ann.expect_connected()

    for reason in ("insecure", "off"):
        loads_where(reason)
        form = opens_sign_in(ann)
        expect(by_provider(form)).to_be_visible()
        expect(by_passkey(form)).to_have_count(0)
    ann.page.context.add_cookies([sign_up(server, "ann").browser_cookie])
    loads_where("off")
    opened = opens_account(ann, "Tokens")
    expect(opened.get_by_role("button", name="Passkeys")).to_have_count(0)
    for reason, words in reasons.items():
        loads_where(reason)
        opened = opens_account(ann, "Passkeys")
        expect(opened).to_contain_text(words)
        expect(opened).to_contain_text("You have none.")
        expect(opened.get_by_role("button", name="Add a passkey")).to_have_count(0)
    loads_where("off")
    links_provider(ann)
    expect(providers_of(opens_account(ann, "Signed in"))).to_contain_text("Signs in with Test ID")


# ---- Words that would go


@pytest.mark.usefixtures("refusals")
def test_a_passkey_of_another_account_erases_no_words_unasked(member: Person, server: Server) -> None:
    adds_passkey(member, "Laptop")
    member.page.keyboard.press("Escape")
    other = handle_of(member)
    signs_out(member)
    signs_in_as(member, handle := new_account(server, "bo"))
    member.composer.fill("half a thought")
    loses_session(member)
    question = dialog(member, "Sign in?")
    for answer in ("Cancel", "Sign in"):
        member.button("Sign in again").click()
        by_passkey(dialog(member, "Sign in")).click()
        expect(question).to_contain_text("There is a draft.")
        assert handle_of(member) == handle
        expect(member.composer).to_have_value("half a thought")
        question.get_by_role("button", name=answer).click()
        expect(question).to_have_count(0)
        if answer == "Cancel":
            expect(dialog(member, "Sign in").locator("[aria-busy=true]")).to_have_count(0)
            member.page.keyboard.press("Escape")
    expect_account(member, other)


@pytest.mark.usefixtures("refusals")
def test_a_provider_erases_no_words_unasked(member: Person, provider: OidcProvider) -> None:
    provider.person["preferred_username"] = handle = f"bo{next(numbers)}"
    member.composer.fill("half a thought")
    loses_session(member)
    member.button("Sign in again").click()
    form, question = dialog(member, "Sign in"), dialog(member, "Sign in?")
    by_provider(form).click()
    expect(question).to_contain_text("Signing in as somebody else erases what you have written here.")
    member.page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(member.composer).to_have_value("half a thought")
    by_provider(form).click()
    question.get_by_role("button", name="Sign in").click()
    expect_account(member, handle)


# ---- Providers


def test_a_provider_signs_in_and_leads_back_to_the_room(ann: Person, provider: OidcProvider, room: str) -> None:
    provider.person["preferred_username"] = handle = f"ann{next(numbers)}"
    ann.composer.fill("half a thought")
    button = by_provider(opens_sign_in(ann))
    button.focus()
    ann.page.keyboard.press("Enter")
    expect_account(ann, handle)
    assert ann.page.url == f"{ann.server.url}/rooms/{room}"
    expect(ann.composer).to_have_value("half a thought")


def test_a_provider_leads_back_to_the_invitation(ann: Person, provider: OidcProvider, room: str) -> None:
    provider.person["preferred_username"] = handle = f"ann{next(numbers)}"
    options = [f"--database={ann.server.database_url}", f"--spool-folder={ann.server.database.parent}"]
    code = run_to_its_end("invite", f"--room={room}", *options).stdout.partition("#invite=")[2].strip()
    ann.page.goto(f"{ann.server.url}/join/{code}")
    dialog(ann, "You are invited to").get_by_role("button", name="Sign in").click()
    by_provider(dialog(ann, "Sign in")).click()
    dialog(ann, "Join ").get_by_role("button", name="Join").click()
    expect_account(ann, handle)
    expect(ann.page).to_have_url(f"{ann.server.url}/rooms/{room}")


@pytest.mark.parametrize("accounts", ["guests", "required"])
def test_an_invite_is_still_at_hand_after_a_provider_that_signs_nobody_in(
    browser: Browser, tmp_path: Path, its_provider: OidcProvider, accounts: str, room: str
) -> None:
    secret, its_provider.callback = {"CHATTER_OIDC_SECRET_TEST": SECRET}, {}
    its_provider.person = {"sub": f"person-{next(numbers)}", "name": "Ann Example"}
    options = {"sign_up": "invite", "accounts": accounts, "oidc": its_provider.setting()}
    with NamedServer(tmp_path / "chatter.db", secret, **options) as server:
        invited = run_to_its_end("invite", f"--database={server.database_url}")
        (code,) = re.findall(r"#invite=(\w+)", invited.stdout)
        page = browser.new_page(locale="en-GB")
        ann = Person(page, server)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/rooms/{room}#invite={code}")
        dialog(ann, "Create an account").get_by_role("button", name="I have an account").click()
        by_provider(page.locator("dialog:modal")).click()
        failed = dialog(ann, "Signing in did not work")
        expect(failed).to_contain_text("Create one with your invite")
        failed.get_by_role("button", name="Create an account").click()
        form = page.locator("dialog:modal")
        expect(form.locator("input[name=invite]")).to_have_value(code)
        assert not [url for url in asked if code in url]
        handle = f"ann{next(numbers)}"
        fills(form, handle=handle, password=PASSWORD)
        expect_account(ann, handle)
        page.close()


def test_a_failure_is_said_in_words_where_one_began_and_leaves_the_address(
    ann: Person, provider: OidcProvider, room: str
) -> None:
    provider.callback = {"error": "access_denied"}
    ann.composer.fill("half a thought")
    by_provider(opens_sign_in(ann)).click()
    failed = dialog(ann, "Signing in did not work")
    expect(failed).to_contain_text("It was cancelled at the provider.")
    assert ann.page.url == f"{ann.server.url}/rooms/{room}"
    expect(ann.composer).to_have_value("half a thought")
    failed.get_by_role("button", name="Sign in another way").click()
    expect(failed).to_have_count(0)
    expect(dialog(ann, "Sign in").locator("input[name=handle]")).to_be_focused()
    ann.reloads()
    expect_guest(ann)
    expect(ann.page.get_by_role("dialog")).to_have_count(0)


def test_a_failure_of_somebody_who_is_signed_in_offers_no_sign_in(member: Person) -> None:
    member.page.goto(f"{member.page.url}#sign-in=failed&reason=forbidden")
    failed = dialog(member, "Signing in did not work")
    expect(failed).to_contain_text("belongs to another account")
    expect(failed.get_by_role("button")).to_have_text(["Close"])
    member.page.keyboard.press("Enter")
    expect(failed).to_have_count(0)


def providers_of(opened: Locator) -> Locator:
    return opened.get_by_role("list", name="Providers").get_by_role("listitem")


def links_provider(person: Person) -> None:
    """Goes to the provider and comes back, with the account linked to the person there."""
    with person.page.expect_navigation(url="**/rooms/*"):
        person.page.evaluate("location.assign(`/api/oidc/test/start?next=${location.pathname}`)")
    person.expect_connected()


@pytest.mark.usefixtures("provider")
def test_a_provider_is_linked_and_unlinked_by_keys_after_one_question(member: Person) -> None:
    opened, keyboard = opens_account(member, "Passkeys"), member.page.keyboard
    expect(opened).to_contain_text("You have none.")
    link = opened.get_by_role("button", name="Link Test ID", exact=True)
    link.focus()
    with member.page.expect_navigation(url="**/rooms/*"):
        keyboard.press("Enter")
    member.expect_connected()
    opened = opens_account(member, "Passkeys")
    row, button = providers_of(opened), opened.get_by_role("button", name="Unlink Test ID")
    expect(row).to_contain_text("Signs in with Test ID")
    expect(link).to_have_count(0)
    button.focus()
    for goes_back in ("Escape", "Enter"):
        keyboard.press("Enter")
        expect(opened.get_by_role("group", name="Unlink Test ID?")).to_be_visible()
        expect(opened.get_by_role("button", name="Keep")).to_be_focused()
        keyboard.press(goes_back)
        expect(row).to_contain_text("Signs in with Test ID")
        expect(button).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(button).to_be_focused()
    keyboard.press("Enter")
    expect(row).to_have_count(0)
    expect(opened.get_by_text("No provider signs you in.")).to_be_focused()
    expect(link).to_be_visible()


@pytest.mark.usefixtures("refusals")
def test_the_last_provider_is_kept_until_there_is_another_way(ann: Person, provider: OidcProvider) -> None:
    provider.person["preferred_username"] = handle = f"ann{next(numbers)}"
    by_provider(opens_sign_in(ann)).click()
    expect_account(ann, handle)
    opened = opens_account(ann, "Passkeys")
    unlink = opened.get_by_role("button", name="Unlink Test ID")
    unlink.click()
    unlink.click()
    expect_words(opened, "you could not sign in any more")
    expect(providers_of(opened)).to_contain_text("Signs in with Test ID")
    ann.page.keyboard.press("Escape")
    opened = adds_passkey(ann, "Laptop")
    unlink.click()
    unlink.click()
    expect(providers_of(opened)).to_have_count(0)
    expect(opened.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)


# ---- For everybody


@pytest.mark.parametrize(("options", "looks"), [({}, (LIGHT, DARK, FORCED)), (PHONE, (LIGHT,))])
@pytest.mark.usefixtures("provider")
def test_each_dialog_is_for_everybody(
    visit: Visit, server: Server, options: dict[str, Any], looks: tuple[Look, ...]
) -> None:
    ann = visit("visitor", **options)
    add_authenticator(ann.page)
    ann.page.goto(f"{ann.page.url}#sign-in=failed")
    failed = dialog(ann, "Signing in did not work")
    expect(failed).to_contain_text("was not accepted")
    assert violations_in(ann.page, *looks) == []
    failed.get_by_role("button", name="Sign in another way").click()
    form = dialog(ann, "Sign in")
    expect(by_passkey(form)).to_be_visible()
    expect(by_provider(form)).to_be_visible()
    assert violations_in(ann.page, *looks) == []
    ann.page.keyboard.press("Escape")
    ann.button("Rooms").click() if "is_mobile" in options else None
    signs_in_as(ann, new_account(server))
    ann.button("Rooms").click() if "is_mobile" in options else None
    links_provider(ann)
    ann.button("Rooms").click() if "is_mobile" in options else None
    opened = adds_passkey(ann, "Laptop")
    expect(providers_of(opened)).to_have_count(1)
    assert violations_in(ann.page, *looks) == []
    opened.get_by_role("button", name="Unlink Test ID").click()
    assert violations_in(ann.page, *looks) == []
