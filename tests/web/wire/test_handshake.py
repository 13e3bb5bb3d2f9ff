"""Handshakes: what is answered to those that succeed, and to those that do not."""

from typing import Protocol

import pytest

from tests.support.phoenix_client import UPGRADE, Connection, Opcode, Request, Response, frame, request
from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import JOINED

NOT_FOUND = {"errors": {"detail": "Not Found"}}


class Upgrade(Protocol):
    """Upgrade asks for a websocket."""

    def __call__(self, clients: Clients, target: str = "/socket/websocket?vsn=2.0.0", **headers: str) -> Response:
        """Returns the answer. Header names have underscores."""


@pytest.fixture(params=["whole", "in two pieces"])
def upgrade(request: pytest.FixtureRequest) -> Upgrade:
    """Takes both ways to a websocket: a head that comes in two pieces is left to Tornado."""

    def upgrade(clients: Clients, target: str = "/socket/websocket?vsn=2.0.0", **headers: str) -> Response:
        named = UPGRADE | {name.replace("_", "-"): value for name, value in headers.items()}
        between = clients.connect("somebody").lives if request.param == "in two pieces" else None
        asked = Request(clients.port, "GET", target, named, between=between)
        try:
            return asked.response()
        finally:
            asked.abandon()

    return upgrade


def test_the_whole_answer_to_a_handshake(clients: Clients, upgrade: Upgrade) -> None:
    status_line, headers, body = upgrade(clients)
    assert status_line == "HTTP/1.1 101 Switching Protocols"
    assert headers.pop("date").endswith(" GMT")
    assert headers == {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "cache-control": "max-age=0, private, must-revalidate",
    }
    assert body == b""


def test_a_server_frame_as_bytes(clients: Clients) -> None:
    ann = clients.connect("ann").websocket
    ann.send(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]')
    assert ann.connection.read(64).hex() == (
        "813e5b6e756c6c2c2231222c2270686f656e6978222c227068785f7265706c79"
        "222c7b22726573706f6e7365223a7b7d2c22737461747573223a226f6b227d5d"
    )


def test_a_frame_may_come_in_the_same_packet_as_the_handshake(clients: Clients) -> None:
    asked = Connection(clients.port)
    lines = ["GET /socket/websocket?vsn=2.0.0 HTTP/1.1", f"Host: 127.0.0.1:{clients.port}"]
    lines += [f"{name}: {value}" for name, value in UPGRADE.items()]
    heartbeat = frame(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]')
    asked.send("\r\n".join([*lines, "", ""]).encode() + heartbeat)
    asked.read_until(b"\r\n\r\n")
    assert asked.read(64).endswith(b'"status":"ok"}]')
    asked.close()


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_a_handshake_may_come_in_pieces_and_a_frame_in_the_packet_of_the_last(clients: Clients, cut: int) -> None:
    asked = Connection(clients.port)
    lines = ["GET /socket/websocket?vsn=2.0.0 HTTP/1.1", f"Host: 127.0.0.1:{clients.port}"]
    lines += [f"{name}: {value}" for name, value in UPGRADE.items()]
    head = "\r\n".join([*lines, "", ""]).encode()
    asked.send(head[:cut])
    clients.connect("ann").lives()
    asked.send(head[cut:] + frame(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]'))
    assert asked.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
    assert asked.read(64).endswith(b'"status":"ok"}]')
    asked.close()


def test_a_query_that_is_not_utf8_is_400(clients: Clients, upgrade: Upgrade) -> None:
    assert upgrade(clients, "/socket/websocket?name=%ff&vsn=2.0.0").status == 400


def test_names_of_headers_and_of_the_upgrade_may_be_written_in_any_case(clients: Clients, upgrade: Upgrade) -> None:
    answer = upgrade(clients, Upgrade="WebSocket", Connection="keep-alive, UPGRADE")
    assert answer.status == 101


def test_extensions_are_not_agreed_to(clients: Clients, upgrade: Upgrade) -> None:
    answer = upgrade(clients, Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits")
    assert answer.status == 101
    assert "sec-websocket-extensions" not in answer.headers


@pytest.mark.parametrize("offer", ["phoenix", "phoenix, base64url.bearer.phx.dG9rZW4", "x,phoenix"])
def test_the_subprotocol_phoenix_is_agreed_to_where_it_is_offered(
    clients: Clients, upgrade: Upgrade, offer: str
) -> None:
    assert upgrade(clients, Sec_WebSocket_Protocol=offer).headers["sec-websocket-protocol"] == "phoenix"


def test_another_subprotocol_is_not_agreed_to(clients: Clients, upgrade: Upgrade) -> None:
    answer = upgrade(clients, Sec_WebSocket_Protocol="graphql-ws")
    assert answer.status == 101
    assert "sec-websocket-protocol" not in answer.headers


@pytest.mark.parametrize("version", ["3.0.0", "garbage", "2.0.0.0", ""])
def test_an_unknown_version_of_the_protocol_is_403(clients: Clients, upgrade: Upgrade, version: str) -> None:
    answer = upgrade(clients, f"/socket/websocket?vsn={version}")
    assert (answer.status_line, answer.body) == ("HTTP/1.1 403 Forbidden", b"")


@pytest.mark.parametrize("path", ["/socket/nope", "/socket", "/socket/websocket/x"])
def test_other_paths_are_404(clients: Clients, upgrade: Upgrade, path: str) -> None:
    answer = upgrade(clients, f"{path}?vsn=2.0.0")
    assert (answer.status_line, answer.json) == ("HTTP/1.1 404 Not Found", NOT_FOUND)


def test_a_request_that_asks_for_no_upgrade_is_400(clients: Clients) -> None:
    answer = request(clients.port, "GET", "/socket/websocket?vsn=2.0.0")
    assert answer.status_line == "HTTP/1.1 400 Bad Request"
    assert answer.body == b"'connection' header must contain 'upgrade', got []"


def test_an_upgrade_to_something_else_is_400(clients: Clients, upgrade: Upgrade) -> None:
    answer = upgrade(clients, Upgrade="h2c")
    assert answer.status_line == "HTTP/1.1 400 Bad Request"
    assert answer.body == b"'upgrade' header must contain 'websocket', got [\"h2c\"]"


def test_another_version_of_websockets_is_400(clients: Clients, upgrade: Upgrade) -> None:
    answer = upgrade(clients, Sec_WebSocket_Version="8")
    assert answer.status_line == "HTTP/1.1 400 Bad Request"
    assert answer.body == b"'sec-websocket-version' header must equal '13', got [\"8\"]"


def test_a_post_is_400(clients: Clients) -> None:
    answer = request(clients.port, "POST", "/socket/websocket?vsn=2.0.0", UPGRADE)
    assert (answer.status_line, answer.body) == ("HTTP/1.1 400 Bad Request", b"")


@pytest.mark.parametrize("origin", ["http://other.example", "https://127.0.0.1", "http://ok.example", "null"])
def test_a_page_of_a_foreign_origin_is_403(clients: Clients, upgrade: Upgrade, origin: str) -> None:
    answer = upgrade(clients, Origin=origin)
    assert (answer.status_line, answer.body) == ("HTTP/1.1 403 Forbidden", b"")


def test_a_page_of_the_server_itself_is_admitted(clients: Clients, upgrade: Upgrade) -> None:
    assert upgrade(clients, Origin=f"http://127.0.0.1:{clients.port}").status == 101


def test_a_page_of_an_allowed_origin_is_admitted(clients: Clients, upgrade: Upgrade) -> None:
    assert upgrade(clients, Origin="https://ok.example").status == 101


def test_a_name_in_the_address_counts_for_joins_that_give_none(clients: Clients) -> None:
    ann = clients.connect("ann", "name=ann%20b&vsn=2.0.0")
    ann.says('["3","3","chat_room:address","phx_join",{}]')
    ann.hears(f'["3","3","chat_room:address","phx_reply",{JOINED}]')
    meta = '{"metas":[{"online_at":"<seconds>","phx_ref":"<phx_ref ann>"}]}'
    ann.hears(f'["3",null,"chat_room:address","presence_state",{{"ann b":{meta}}}]')
    ann.hears(f'[null,null,"chat_room:address","presence_diff",{{"joins":{{"ann b":{meta}}},"leaves":{{}}}}]')
