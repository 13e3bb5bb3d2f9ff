"""The parts of somebody's rooms on the page, and what is done with them."""

import json

from playwright.sync_api import Locator, expect

from tests.client.my_rooms.members import Member
from tests.client.person import Person

FOUNDED = "you created this room"


# ---- A room


def panel(person: Person) -> Locator:
    return person.page.get_by_role("region", name="Members")


def member_row(person: Person, member: Member) -> Locator:
    return panel(person).get_by_role("listitem").filter(has_text=member.handle)


def menu_of(person: Person, member: Member) -> Locator:
    """Opens what can be done to somebody."""
    panel(person).get_by_role("button", name=f"Options for {member.handle}").click()
    return person.page.get_by_role("menu", name=f"What to do with {member.handle}")


def chooses(person: Person, member: Member, words: str) -> None:
    menu_of(person, member).get_by_role("menuitem", name=words).click()


def settings(person: Person) -> Locator:
    panel(person).get_by_role("button", name="Settings").click()
    return person.page.get_by_role("dialog", name="Settings of the room")


def notes(person: Person) -> Locator:
    return person.page.locator(".room-notes p")


def cannot_write(person: Person) -> Locator:
    return person.page.locator("footer .cannot-write")


# ---- The list of rooms


def unread(person: Person, title: str) -> Locator:
    return person.room(title).locator(".unread")


def expect_read(person: Person, title: str) -> None:
    """Waits until nothing is new in a room of the list, which says so once it has come."""
    expect(person.room(title)).to_be_visible()
    expect(unread(person, title)).to_have_count(0)


def options(person: Person, title: str) -> Locator:
    """Opens the menu of a room."""
    person.room(title).click(button="right")
    return person.page.get_by_role("menu", name=title)


def opens_me_menu(person: Person) -> Locator:
    person.button("Your account").click()
    return person.page.get_by_role("menu", name="Your account")


# ---- The browser


def kept(person: Person, word: str) -> list[str]:
    """Returns where the browser keeps a word: keys and values of its storages and databases."""
    found: str = person.page.evaluate("""async () => {
        const entries = [...Object.entries(localStorage), ...Object.entries(sessionStorage)];
        for (const { name } of await indexedDB.databases()) {
          const opening = indexedDB.open(name);
          const database = await new Promise(resolve => (opening.onsuccess = () => resolve(opening.result)));
          for (const store of database.objectStoreNames) {
            const asking = database.transaction(store).objectStore(store).getAll();
            await new Promise(resolve => (asking.onsuccess = resolve));
            entries.push([name, JSON.stringify(asking.result)]);
          }
          database.close();
        }
        return JSON.stringify(entries);
    }""")
    return [key for key, value in json.loads(found) if word in key or word in value]
