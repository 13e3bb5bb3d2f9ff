"""The audit log: admins read over HTTP who did what to whom, and a command prints it."""

import pytest

from tests.support.database import query
from tests.support.server import Server, run_to_its_end
from tests.web.accounts.conftest import Browser
from tests.web.rooms.conftest import People, Person


@pytest.fixture(scope="module", autouse=True)
def older_deed(server: Server) -> None:
    """Has something in the log that is older than what a test does."""
    people = People(server)
    ann, bo = people(), people()
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    assert ann.tries(room, "remove_member", handle=bo.handle) == "ok"
    people.hang_up()


def test_admins_read_who_did_what_to_whom(server: Server, admin: Person, ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    assert ann.tries(room, "remove_member", handle=bo.handle, reason="too much tea") == "ok"
    answer = admin.asks("GET", "/api/audit?limit=1")
    deed = answer.json["audit"][0]
    assert answer.json["more"] is True
    assert (deed["actor"]["handle"], deed["target"]["handle"], deed["room"]) == (ann.handle, bo.handle, room)
    assert deed["reason"] == "too much tea"
    assert ann.tries(room, "set_room", title="Hush", settings={"slow_mode": 9}) == "ok"
    settled = admin.asks("GET", "/api/audit?limit=1").json["audit"][0]
    assert settled["after"] == {"rules": {"slow_mode": 9}}
    older = admin.asks("GET", f"/api/audit?limit=500&before={deed['id']}").json["audit"]
    assert all(each["id"] < deed["id"] for each in older)
    assert ann.asks("GET", "/api/audit").status == 403
    assert Browser(server).ask("GET", "/api/audit").status == 401


def test_the_command_prints_the_audit_log(server: Server, ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    assert ann.tries(room, "remove_member", handle=bo.handle, reason="too\tmuch") == "ok"
    options = [f"--database={server.database_url}", f"--spool-folder={server.database.parent}"]
    ended = run_to_its_end("audit", "--limit=1", *options)
    assert (ended.exit_code, ended.stderr) == (0, "")
    at, actor, _, target, where, reason, _ = ended.stdout.rstrip("\n").split("\t")
    assert (actor, target, where, reason) == (f"@{ann.handle}", f"@{bo.handle}", room, "too much")
    assert at == query(server.database_url, "SELECT at FROM audit ORDER BY id DESC LIMIT 1")[0][0]
    assert run_to_its_end("audit", "--limit=0", *options).exit_code == 2
