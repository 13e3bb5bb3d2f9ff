"""The page of the browser client, its files and their security headers."""

import base64
import hashlib
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.support.phoenix_client import Response, request
from tests.support.server import Server
from web.http.bundle import WEB
from web.http.pages import CLIENT
from web.http.secure import content_security_policy

BUNDLE = WEB / "bundle"

ROOM_ADDRESSES = ["/rooms/lobby", "/rooms/a", "/rooms/9", "/rooms/a-b_c", "/rooms/" + "a" * 64, "/rooms/lobby?x=1"]
MESSAGE_ADDRESSES = ["/rooms/lobby/1", "/rooms/a/90", "/rooms/a/" + "9" * 15, "/rooms/a/7?x=1"]
BAD_ADDRESSES = [
    *("/rooms", "/rooms/", "/rooms/-a", "/rooms/_a", "/rooms/a/b", "/rooms/a.b", "/rooms/" + "a" * 65, "/rooms/a//"),
    *("/rooms/a%20b", "/rooms/lobby%0a", "/rooms/a%2f", "/rooms/%ff", "/rooms/\xe9", "/nothing", "/index.html", "//"),
    *("/rooms/" + "A" * 65, "/rooms/%0d%0aA", "/rooms//evil.example", "/rooms/A%2f.."),
    *("/rooms/a/0", "/rooms/a/07", "/rooms/a/-1", "/rooms/a/1.5", "/rooms/a/1e3", "/rooms/a/" + "9" * 16),
    *(
        "/rooms/a/%ff",
        "/rooms/a/\xb2",
        "/rooms/a/%D9%A1",
        "/rooms/a/1/2",
        "/rooms/a/1//",
        "/rooms/a/1%0a",
        "/rooms/-/1",
    ),
    *("/socket", "/socket/nope", "/socket/websocket/x", "/healthz/", "/api", "/api/rooms/Lobby", "/favicon"),
    *("/assets", "/assets/", "/assets/main.js", "/assets/../bundle.json", "/assets/..%2fbundle.json", "/rooms/sw.js"),
]
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
NOT_FOUND = {"errors": {"detail": "Not Found"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server") / "chatter.db") as running:
        yield running


def get(server: Server, target: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(server.port, "GET", target, named)


def policy(response: Response) -> dict[str, list[str]]:
    """Returns the sources of the Content-Security-Policy by directive."""
    directives = [directive.split() for directive in response.headers["content-security-policy"].split(";")]
    return {name: sources for name, *sources in directives}


def source_hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def expect_nothing_blocked(response: Response) -> None:
    """Checks that what is inline in a page is what its policy allows."""
    rest = response.body.decode()
    for kind in ("style", "script"):
        inline = re.compile(rf"<{kind}>(.*?)</{kind}>", re.DOTALL)
        assert set(map(source_hash, inline.findall(rest))) <= set(policy(response)[f"{kind}-src"])
        rest = inline.sub("", rest)
    assert not re.search(r"<style|<script>|\sstyle=|\son\w+=|javascript:|https?://", rest)


# ---------------------------------------------------------------- the page


def test_the_root_is_the_page(server: Server) -> None:
    page = get(server, "/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.body == (BUNDLE / "index.html").read_bytes()  # as `make bundle` made it


def test_without_the_bundle_the_root_is_the_page_of_the_sources(database: Path) -> None:
    with Server(database, bundle="off") as server:
        assert get(server, "/").body == (CLIENT / "index.html").read_bytes()
        assert get(server, "/sw.js").status == 404
        expect_nothing_blocked(get(server, "/"))
        assert server.log == ""


@pytest.mark.parametrize("address", ROOM_ADDRESSES + MESSAGE_ADDRESSES)
def test_the_address_of_a_room_is_the_same_page(server: Server, address: str) -> None:
    assert get(server, address).status == 200
    assert get(server, address).body == get(server, "/").body


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_any_other_address_is_not_found(server: Server, address: str) -> None:
    answer = get(server, address)
    assert (answer.status, answer.json) == (404, NOT_FOUND)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("address", "room"),
    [
        ("/rooms/Garden", "/rooms/garden"),
        ("/rooms/garden/", "/rooms/garden"),
        ("/rooms/GARDEN/?x=1&y=%20", "/rooms/garden?x=1&y=%20"),
        ("/rooms/%67arden", "/rooms/garden"),
        ("/rooms/%47arden?", "/rooms/garden"),
        ("/rooms/" + "A" * 64, "/rooms/" + "a" * 64),
        ("/rooms/Garden/7", "/rooms/garden/7"),
        ("/rooms/garden/7/?x=1", "/rooms/garden/7?x=1"),
        ("/rooms/garden/%37", "/rooms/garden/7"),
    ],
)
def test_another_spelling_of_a_room_leads_there(server: Server, method: str, address: str, room: str) -> None:
    answer = request(server.port, method, address, {"Accept": "*/*"})
    assert (answer.status, answer.headers["location"]) == (301, room)
    assert answer.headers.items() >= SECURITY_HEADERS.items()
    assert get(server, room).status == 200


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_a_person_at_any_other_address_gets_a_page_that_leads_back(server: Server, address: str) -> None:
    answer = get(server, address, Accept="text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b'<a href="/">' in answer.body
    assert b"<title>There is no page at this address" in answer.body
    assert b"404 Not Found" in answer.body
    assert answer.headers.items() >= SECURITY_HEADERS.items()
    assert answer.headers["vary"] == "Accept"
    expect_nothing_blocked(answer)


@pytest.mark.parametrize(
    ("method", "address", "headers", "status"),
    [
        ("POST", "/", {}, 405),
        ("GET", "/client/", {}, 403),
        ("GET", "/api/rooms", {"Host": "chat.evil.example"}, 403),
        ("GET", "/assets/main.js", {}, 404),
        ("GET", "/sw.js/", {}, 404),
    ],
)
def test_every_refusal_is_a_page_for_a_person_and_json_for_a_program(
    server: Server, method: str, address: str, headers: dict[str, str], status: int
) -> None:
    person = request(server.port, method, address, {"Accept": "text/html", **headers})
    program = request(server.port, method, address, {"Accept": "application/json", **headers})
    assert (person.status, program.status) == (status, status)
    assert b'<a href="/">Go to the lobby</a>' in person.body
    assert b"{{" not in person.body
    expect_nothing_blocked(person)
    assert set(program.json) == {"errors"}


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "image/avif,*/*"])
def test_a_program_gets_json(server: Server, accept: str) -> None:
    answer = get(server, "/nothing", Accept=accept)
    assert (answer.status, answer.json) == (404, NOT_FOUND)
    assert answer.headers["vary"] == "Accept"


def test_what_is_not_found_is_not_repeated_to_a_person(server: Server) -> None:
    answer = get(server, "/%3Cscript%3Ealert(1)%3C/script%3E?<b>", Accept="text/html")
    assert answer.status == 404
    assert b"alert" not in answer.body
    assert b"<b>" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_page_can_only_be_read(server: Server, method: str) -> None:
    assert request(server.port, method, "/").status == 405
    assert request(server.port, method, "/nothing").status == 404


@pytest.mark.parametrize(
    "address", ["/", "/rooms/lobby", "/rooms/lobby/7", "/client/main.js", "/healthz", "/api/rooms"]
)
def test_a_head_request_is_answered_like_a_get_without_the_body(server: Server, address: str) -> None:
    head, whole = request(server.port, "HEAD", address), get(server, address)
    assert (head.status, head.body) == (200, b"")
    for name in ("content-length", "content-type", "cache-control", "etag"):
        assert head.headers.get(name) == whole.headers.get(name)


@pytest.mark.parametrize("address", ["/", "/rooms/lobby", "/client/main.js", "/client/styles/page.css"])
def test_a_file_is_revalidated_each_time_and_sent_only_when_it_changed(server: Server, address: str) -> None:
    first = get(server, address)
    assert first.headers["cache-control"] == "no-cache"
    again = get(server, address, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert get(server, address, If_None_Match='"another"').body == first.body


# ---------------------------------------------------------------- its files


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("main.js", "text/javascript; charset=utf-8"),
        ("components/app.js", "text/javascript; charset=utf-8"),
        ("node_modules/phoenix/priv/static/phoenix.mjs", "text/javascript; charset=utf-8"),
        ("styles/page.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
        ("manifest.webmanifest", "application/manifest+json"),
    ],
)
def test_a_file_of_the_client_has_its_content_type(server: Server, path: str, kind: str) -> None:
    answer = get(server, f"/client/{path}")
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.body == (CLIENT / path).read_bytes()


def test_every_file_that_the_page_names_exists(server: Server) -> None:
    icons = re.findall(r'"src": "([^"]+)"', get(server, "/client/manifest.webmanifest").body.decode())
    for page in (get(server, "/").body.decode(), (CLIENT / "index.html").read_text()):
        named = re.findall(r'"(/(?:client|assets)/[^"]+)"', page)
        assert len(named) > 3
        assert [path for path in [*named, *icons] if get(server, path).status != 200] == []


@pytest.mark.parametrize(
    "path",
    [
        *(
            "nothing.js",
            "",
            "components",
            "components/",
            "../main.py",
            "%2e%2e/main.py",
            "../client.py",
            "..%2fmain.py",
        ),
        *("/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "main.js%00", "components/../../main.py"),
    ],
)
def test_nothing_but_the_files_of_the_client_is_served(server: Server, path: str) -> None:
    answer = get(server, f"/client/{path}")
    assert answer.status in {403, 404}
    assert b"import" not in answer.body
    assert b"root:" not in answer.body


def test_a_missing_file_is_answered_like_a_missing_page(server: Server) -> None:
    answer = get(server, "/client/nothing.js")
    assert (answer.status, answer.json) == (404, NOT_FOUND)


def test_the_folder_of_the_client_has_no_python_files() -> None:
    code = [path for path in CLIENT.rglob("*.py") if "node_modules" not in path.parts and path.read_text()]
    assert code == []


# ---------------------------------------------------------------- its headers


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/sw.js", 200),
        ("GET", "/favicon.ico", 200),
        ("GET", "/assets/nothing.js", 404),
        ("HEAD", "/", 200),
        ("GET", "/rooms/lobby", 200),
        ("GET", "/client/main.js", 200),
        ("GET", "/client/node_modules/phoenix/priv/static/phoenix.mjs", 200),
        ("GET", "/healthz", 200),
        ("GET", "/api/rooms", 200),
        ("GET", "/nothing", 404),
        ("POST", "/nothing", 404),
        ("GET", "/rooms/A", 301),
        ("GET", "/rooms/a.b", 404),
        ("HEAD", "/nothing", 404),
        ("HEAD", "/healthz", 200),
        ("GET", "/client/nothing.js", 404),
        ("GET", "/client/", 403),
        ("POST", "/", 405),
        ("POST", "/client/main.js", 405),
        ("POST", "/healthz", 405),
    ],
)
def test_every_answer_carries_the_security_headers(server: Server, method: str, address: str, status: int) -> None:
    answer = request(server.port, method, address)
    assert answer.status == status
    assert answer.headers.items() >= SECURITY_HEADERS.items()
    assert answer.headers["content-security-policy"] == get(server, "/").headers["content-security-policy"]
    assert "server" not in answer.headers


def test_a_304_answer_carries_the_security_headers(server: Server) -> None:
    etag = get(server, "/client/main.js").headers["etag"]
    assert get(server, "/client/main.js", If_None_Match=etag).headers.items() >= SECURITY_HEADERS.items()


def test_the_policy_allows_own_scripts_and_what_is_inline_in_the_pages(server: Server) -> None:
    page = get(server, "/")
    sources = (CLIENT / "index.html").read_text()
    (import_map,) = re.findall(r'<script type="importmap">(.*?)</script>', sources, re.DOTALL)
    of_the_shell = [re.findall(r"<script>(.*?)</script>", text, re.DOTALL) for text in (sources, page.body.decode())]
    scripts = [import_map, *chain(*of_the_shell)]
    (styles,) = re.findall(r"<style>(.*?)</style>", page.body.decode(), re.DOTALL)
    assert len(scripts) == 3
    assert set(policy(page)["script-src"]) == {"'self'", *map(source_hash, scripts)}
    assert policy(page)["style-src"][:2] == ["'self'", source_hash(styles)]
    assert len(policy(page)["style-src"]) == 3  # the third is of the page for errors
    assert policy(page)["default-src"] == ["'none'"]


def test_the_policy_allows_nothing_inline_and_no_other_origin(server: Server) -> None:
    sources = [source for sources in policy(get(server, "/")).values() for source in sources]
    assert {source for source in sources if not source.startswith("'sha256-")} <= {"'self'", "'none'", "data:"}
    assert policy(get(server, "/"))["frame-ancestors"] == ["'none'"]
    assert policy(get(server, "/"))["connect-src"] == ["'self'"]


def test_the_page_has_nothing_inline_that_its_policy_would_block(server: Server) -> None:
    expect_nothing_blocked(get(server, "/"))


def test_the_policy_allows_what_is_inline_by_hash_and_files_by_origin() -> None:
    page = '<script>one()</script><script src="/two.js"></script><script type="importmap">\n{}\n</script>'
    (scripts,) = [part for part in content_security_policy(page).split("; ") if part.startswith("script-src")]
    assert scripts == f"script-src 'self' {source_hash('one()')} {source_hash(chr(10) + '{}' + chr(10))}"


def test_the_server_finds_the_page_of_the_client() -> None:
    assert Path(CLIENT, "index.html").is_file()
