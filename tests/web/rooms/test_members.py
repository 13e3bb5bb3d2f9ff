"""Members of a room over HTTP: they come in pages, and admins join them visibly."""

from typing import Any

from tests.support.server import Server
from tests.web.accounts.conftest import Browser, bearer
from tests.web.rooms.conftest import People, Person


def test_members_come_in_pages(ann: Person, people: People) -> None:
    others = [people(old=False) for _ in range(3)]
    room = ann.makes_room(members=[other.handle for other in others])
    first = ann.asks("GET", f"/api/rooms/{room}/members?limit=3").json
    assert ([member["id"] for member in first["members"]], first["more"]) == (
        [ann.id, *(other.id for other in others[:2])],
        True,
    )
    rest = ann.asks("GET", f"/api/rooms/{room}/members?after={first['members'][-1]['id']}").json
    assert ([member["handle"] for member in rest["members"]], rest["more"]) == ([others[2].handle], False)
    assert first["members"][0] | {"joined_seq": 0} == {
        "id": ann.id,
        "handle": ann.handle,
        "name": ann.handle,
        "role": "owner",
        "joined_seq": 0,
    }
    assert ann.asks("GET", f"/api/rooms/{room}/members?limit=0").json["field"] == "limit"


def test_the_banned_come_in_the_same_pages(ann: Person, bo: Person, people: People) -> None:
    others = [people(old=False) for _ in range(4)]
    room = ann.makes_room(members=[bo.handle, *(other.handle for other in others)])
    ann.joins(room)
    for other in others[:3]:
        assert ann.tries(room, "remove_member", handle=other.handle, ban=True) == "ok"
    pages: list[Any] = []
    after: int | None = 0
    while after is not None:
        pages.append(ann.asks("GET", f"/api/rooms/{room}/members?limit=2&after={after}").json)
        after = pages[-1].get("next")
    members = [[each["id"] for each in page["members"]] for page in pages]
    banned = [[each["id"] for each in page.get("banned", ())] for page in pages]
    assert members == [[ann.id, bo.id], [], [others[3].id]]
    assert banned == [[], [others[0].id, others[1].id], [others[2].id]]
    assert [page["more"] for page in pages] == [True, True, False]


def test_an_admin_who_must_look_into_a_room_joins_it_visibly(admin: Person, ann: Person, bo: Person) -> None:
    room = ann.makes_room()
    ann.joins(room)
    assert admin.asks("GET", f"/api/rooms/{room}").status == 404
    assert bo.asks("POST", f"/api/rooms/{room}/members").status == 404
    assert admin.asks("POST", f"/api/rooms/{room}/members").status == 204
    heard = ann.hears("room_event", kind="member", change="joined")
    assert heard["members"][0]["handle"] == "root"
    assert admin.asks("GET", f"/api/rooms/{room}").status == 200
    assert admin.asks("POST", "/api/rooms/p--" + 26 * "a" + "/members").status == 404


def test_a_token_acts_as_an_admin_only_if_it_is_for_that(server: Server, admin: Person, ann: Person) -> None:
    room = ann.makes_room()
    for scopes, status in ((("read", "post"), 404), (("read", "post", "moderate"), 404), (("post", "admin"), 204)):
        token = admin.browser.token(*scopes)
        assert Browser(server).ask("POST", f"/api/rooms/{room}/members", None, bearer(token)).status == status
