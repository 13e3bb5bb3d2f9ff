"""Names on real sockets: of guests that an account takes, and of accounts that change while their people are here."""

from typing import Any

from tests.support.server import Server
from tests.support.talker import Talker
from tests.web.accounts.conftest import Browser


def present(watcher: Talker, name: str) -> Any:
    """Waits until somebody of that name comes, and returns what is told of who comes and goes."""
    frames = watcher.receive_until(lambda each: each.event == "presence_diff" and name in each.payload["joins"])
    return frames[-1].payload


def test_a_guest_in_a_room_is_renamed_when_an_account_takes_the_name(people_server: Server) -> None:
    with Talker(people_server.port) as guest, Talker(people_server.port) as watcher:
        watcher.join("taken", name="watcher", log=2)
        guest.join("taken", name="Robin", resync=True)
        seq = guest.ask("taken", "new_message", name="Robin", message="helo")["response"]["seq"]
        Browser(people_server).signs_up("robin")
        assert list(present(watcher, "Robin (guest)")["leaves"]) == ["Robin"]
        guest.push("taken", "typing", name="Robin")
        assert watcher.wait_for("typing") == {"name": "Robin (guest)"}
        guest.ask("taken", "edit_message", seq=seq, message="hello")
        assert watcher.wait_for("room_event")["by"] == {"name": "Robin (guest)"}


def test_a_display_name_takes_a_guests_name_too(people_server: Server) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    with Talker(people_server.port) as guest, Talker(people_server.port) as watcher:
        watcher.join("shown", name="watcher")
        guest.join("shown", name="Captain Nemo")
        assert browser.ask("PUT", "/api/me", {"name": "CAPTAIN nemo"}).status == 200
        assert list(present(watcher, "Captain Nemo (guest)")["leaves"]) == ["Captain Nemo"]


def test_an_account_has_its_new_names_in_each_room_at_once(people_server: Server) -> None:
    browser = Browser(people_server)
    handle = browser.signs_up()
    server = people_server.port
    with (
        Talker(server, headers=browser.headers) as phone,
        Talker(server, headers=browser.headers) as desk,
        Talker(server) as watcher,
    ):
        watcher.join("renamed", name="watcher", log=2)
        for each in (phone, desk):
            each.join("renamed", name="x")
        seq = phone.ask("renamed", "new_message", message="hello")["response"]["seq"]
        assert browser.ask("PUT", "/api/me", {"handle": f"{handle}-now", "name": "New Name"}).status == 200
        change = present(watcher, f"@{handle}-now")
        assert [meta["name"] for meta in change["joins"][f"@{handle}-now"]["metas"]] == ["New Name"] * 2
        assert list(change["leaves"]) == [f"@{handle}"]
        desk.push("renamed", "typing")
        typing = watcher.wait_for("typing")
        assert (typing["name"], typing["author"]["handle"]) == ("New Name", f"{handle}-now")
        desk.ask("renamed", "pin", seq=seq)
        by = watcher.wait_for("room_event")["by"]
        assert (by["name"], by["handle"]) == ("New Name", f"{handle}-now")
        (message,) = watcher.ask("renamed", "history")["response"]["messages"]
        assert message["author"]["handle"] == f"{handle}-now"
