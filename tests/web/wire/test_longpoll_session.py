"""Poll sessions: how they start, how requests name them, which pages may have one."""

import http.client
import json
from typing import Any

import pytest

from tests.support.phoenix_client import NDJSON, TIMEOUT, LongPoll, Response, request
from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import JOINED, OK, Placeholders

LP = "/socket/longpoll?vsn=2.0.0"
HEARTBEAT = '[null,"1","phoenix","heartbeat",{}]'
REPLY = f'[null,"1","phoenix","phx_reply",{OK}]'
OPENED = {"messages": [], "status": 410, "token": "<token>"}


def post(clients: Clients, target: str, body: str = HEARTBEAT, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(clients.port, "POST", target, {"Content-Type": NDJSON} | named, body.encode())


def get(clients: Clients, target: str, **headers: str) -> Response:
    return request(clients.port, "GET", target, {name.replace("_", "-"): value for name, value in headers.items()})


def opens(answer: Response) -> bool:
    """Returns whether the answer opens a new session."""
    return answer.status == 200 and Placeholders().match(OPENED, answer.json)


def test_a_poll_without_a_token_opens_a_session(clients: Clients) -> None:
    answer = get(clients, LP, Accept="application/json")
    assert answer.status_line == "HTTP/1.1 200 OK"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert opens(answer)


@pytest.mark.parametrize("query", ["&token=null", "&token=garbage", "&token=", "&", "&token=a&token=b"])
def test_a_token_of_no_session_opens_a_new_one(clients: Clients, query: str) -> None:
    assert opens(get(clients, LP + query))


def test_no_two_sessions_share_a_token(clients: Clients) -> None:
    assert len({get(clients, LP).json["token"] for _ in range(20)}) == 20


@pytest.mark.parametrize("query", ["&token=garbage", "&token=null", "&token=", ""])
def test_a_post_without_a_session_is_410(clients: Clients, query: str) -> None:
    answer = post(clients, LP + query)
    assert (answer.status, answer.json) == (200, {"status": 410})


def test_every_answer_may_be_read_by_pages_of_other_origins_and_is_not_cached(clients: Clients) -> None:
    session = LongPoll(clients.port)
    session.open()
    answers = [
        post(clients, session.target),
        get(clients, session.target),
        post(clients, LP),
        post(clients, session.target, "[not json"),
        get(clients, "/socket/longpoll?vsn=3.0.0"),
    ]
    for answer in answers:
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"


def test_the_token_may_be_in_a_header(clients: Clients) -> None:
    token = get(clients, LP).json["token"]
    assert post(clients, LP, x_phoenix_longpoll_token=token).json == {"status": 200}
    answer = get(clients, LP, x_phoenix_longpoll_token=token).json
    assert Placeholders().match({"messages": [REPLY], "status": 200, "token": token}, answer), answer


def test_an_invalid_token_in_a_header_opens_a_new_session(clients: Clients) -> None:
    assert opens(get(clients, LP, x_phoenix_longpoll_token="garbage"))
    assert post(clients, LP, x_phoenix_longpoll_token="garbage").json == {"status": 410}


@pytest.mark.parametrize("version", ["3.0.0", "garbage"])
def test_an_unknown_protocol_version_is_403(clients: Clients, version: str) -> None:
    answer = get(clients, f"/socket/longpoll?vsn={version}")
    assert (answer.status, answer.json) == (200, {"status": 403})


def test_a_page_of_a_foreign_origin_is_403(clients: Clients) -> None:
    session = LongPoll(clients.port)
    session.open()
    for answer in (
        get(clients, LP, Origin="http://other.example"),
        post(clients, session.target, Origin="http://x.example"),
    ):
        assert (answer.status, answer.json) == (200, {"status": 403})


def test_a_page_of_an_allowed_origin_or_of_the_server_may_open_a_session(clients: Clients) -> None:
    assert opens(get(clients, LP, Origin="https://ok.example"))
    assert opens(get(clients, LP, Origin=f"http://127.0.0.1:{clients.port}"))


def test_a_preflight_request_from_another_origin_is_answered(clients: Clients) -> None:
    asked = {
        "Origin": "http://other.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-a",
    }
    answer = request(clients.port, "OPTIONS", LP, asked)
    assert answer.status_line == "HTTP/1.1 200 OK"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "content-type, x-a"
    assert answer.headers["access-control-allow-methods"] == "get, post, options"
    assert answer.headers["access-control-max-age"] == "3600"


@pytest.mark.parametrize("method", ["PUT", "HEAD", "PATCH", "DELETE"])
def test_other_methods_are_400(clients: Clients, method: str) -> None:
    answer = request(clients.port, method, LP)
    assert (answer.status_line, answer.body) == ("HTTP/1.1 400 Bad Request", b"")


def test_many_requests_may_share_one_connection(clients: Clients) -> None:
    client = http.client.HTTPConnection("127.0.0.1", clients.port, timeout=TIMEOUT)
    token = exchange(client, "GET", LP)["token"]
    for _ in range(3):
        assert exchange(client, "POST", f"{LP}&token={token}", HEARTBEAT) == {"status": 200}
        assert exchange(client, "GET", f"{LP}&token={token}")["status"] == 200
    client.close()


def exchange(client: http.client.HTTPConnection, method: str, target: str, body: str | None = None) -> Any:
    client.request(method, target, body, {"Content-Type": NDJSON})
    return json.loads(client.getresponse().read())


def test_a_name_in_the_address_is_used_for_joins_without_a_name(clients: Clients) -> None:
    lee = clients.poll("lee", "name=lee&vsn=2.0.0")
    lee.says('["1","1","chat_room:lp-name","phx_join",{}]')
    meta = '{"lee":{"metas":[{"online_at":"<seconds>","phx_ref":"<phx_ref lee>"}]}}'
    lee.hears(
        f'["1","1","chat_room:lp-name","phx_reply",{JOINED}]',
        f'["1",null,"chat_room:lp-name","presence_state",{meta}]',
        f'[null,null,"chat_room:lp-name","presence_diff",{{"joins":{meta},"leaves":{{}}}}]',
    )
