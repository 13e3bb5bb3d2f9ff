"""The framing of RFC 6455: ping and pong, fragments, sizes, closing, violations."""

import pytest

from tests.support.phoenix_client import MASK, Opcode, frame, header
from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import JOINED, OK, posted, saved

LARGEST = 65_536


def test_a_ping_is_answered_with_its_own_data_and_a_pong_is_ignored(clients: Clients) -> None:
    ann = clients.connect("ann")
    for data in (b"abc", b"", b"x" * 125):
        ann.websocket.send(Opcode.PING, data)
        ann.hears_pong(data)
    ann.websocket.send(Opcode.PONG, b"unsolicited")
    ann.lives()


def test_a_text_may_come_in_fragments_with_a_ping_between(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.TEXT, b'[null,"1","pho', final=False)
    ann.websocket.send(Opcode.CONTINUATION, b'enix","heart', final=False)
    ann.websocket.send(Opcode.PING, b"mid")
    ann.websocket.send(Opcode.CONTINUATION, b'beat",{}]')
    ann.hears_pong(b"mid")
    ann.hears(f'[null,"1","phoenix","phx_reply",{OK}]')


def test_a_character_may_be_split_between_fragments(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:fragments")
    bo.joins("chat_room:fragments", "1")
    for byte in '["3","4","chat_room:fragments","typing",{"name":"é😀"}'.encode():
        first = byte == ord("[")
        ann.websocket.send(Opcode.TEXT if first else Opcode.CONTINUATION, bytes((byte,)), final=False)
    ann.websocket.send(Opcode.CONTINUATION, b"]")
    bo.hears('[null,null,"chat_room:fragments","typing",{"name":"é😀"}]')
    ann.hears(f'["3","4","chat_room:fragments","phx_reply",{OK}]')


def test_a_frame_may_come_byte_by_byte(clients: Clients) -> None:
    ann = clients.connect("ann")
    for byte in frame(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]'):
        ann.websocket.connection.send(bytes((byte,)))
    ann.hears(f'[null,"1","phoenix","phx_reply",{OK}]')


def test_many_frames_may_come_in_one_packet(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says(*(f'[null,"{number}","phoenix","heartbeat",{{}}]' for number in range(500)))
    for number in range(500):
        ann.hears(f'[null,"{number}","phoenix","phx_reply",{OK}]')


@pytest.mark.parametrize("size", [125, 126, 127, 1_000, LARGEST - 1, LARGEST])
def test_a_text_of_any_size_up_to_the_limit_is_accepted(clients: Clients, size: int) -> None:
    ann = clients.connect("ann")
    text = '[null,"1","phoenix","heartbeat",{"s":"%s"}]'
    ann.says(text % ("x" * (size - len(text % ""))))
    ann.hears(f'[null,"1","phoenix","phx_reply",{OK}]')


@pytest.mark.parametrize(("size", "start"), [(125, "817d"), (126, "817e007e")])  # larger ones: test_rfc6455.py
def test_the_length_of_a_server_frame_takes_as_few_bytes_as_it_can(clients: Clients, size: int, start: str) -> None:
    ann = clients.connect("ann")
    reply = '[null,"1","{}","phx_reply",{{"response":{{"reason":"unmatched topic"}},"status":"error"}}]'
    topic = "x" * (size - len(reply.format("")))
    ann.says(f'[null,"1","{topic}","y",{{}}]')
    assert ann.websocket.connection.read(len(start) // 2).hex() == start
    assert ann.websocket.connection.read(size).decode() == reply.format(topic)


def test_the_server_sends_frames_of_more_than_125_bytes(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:large")
    text = "é" * 4_000
    ann.says(f'["3","4","chat_room:large","new_message",{{"name":"ann","message":"{text}"}}]')
    ann.hears(f'[null,null,"chat_room:large","new_message",{posted(1, "ann", text)}]')
    ann.hears(f'["3","4","chat_room:large","phx_reply",{saved(1)}]')


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
@pytest.mark.parametrize("size", [LARGEST + 1, 1_048_576, 2**30, 2**63 - 1])
def test_a_frame_that_is_too_large_is_1009_as_soon_as_its_header_is_read(
    clients: Clients, opcode: Opcode, size: int
) -> None:
    ann = clients.connect("ann")
    ann.websocket.connection.send(header(opcode, size) + MASK)
    ann.hears_close(1009)


def test_fragments_that_are_too_large_together_are_1009(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.TEXT, b"x" * LARGEST, final=False)
    ann.websocket.connection.send(header(Opcode.CONTINUATION, 1) + MASK)
    ann.hears_close(1009)


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1000, "bye"), (None, ""), (1001, ""), (4000, ""), (3000, "é")]
)
def test_a_close_is_answered_with_1000_for_any_valid_code_and_reason(
    clients: Clients, code: int | None, reason: str
) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:close")
    ann.says_close(code, reason)
    ann.hears_close(1000)


def test_frames_after_a_close_are_ignored(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    heartbeat = frame(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]')
    join = frame(Opcode.TEXT, b'["3","3","chat_room:closed","phx_join",{"name":"ann"}]')
    ann.websocket.connection.send(heartbeat + frame(Opcode.CLOSE, b"") + heartbeat + join)
    ann.hears(f'[null,"1","phoenix","phx_reply",{OK}]')
    ann.hears_close(1000)
    bo.says('["1","1","chat_room:closed","phx_join",{"name":"bob"}]')
    bo.hears(f'["1","1","chat_room:closed","phx_reply",{JOINED}]')
    people = '{"bob":{"metas":[{"online_at":"<seconds>","phx_ref":"<phx_ref bob>"}]}}'
    bo.hears(f'["1",null,"chat_room:closed","presence_state",{people}]')
    bo.hears(f'[null,null,"chat_room:closed","presence_diff",{{"joins":{people},"leaves":{{}}}}]')


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
def test_a_close_with_a_code_that_must_not_be_sent_is_1002(clients: Clients, code: int) -> None:
    ann = clients.connect("ann")
    ann.says_close(code)
    ann.hears_close(1002)


def test_a_close_with_half_a_code_is_1002(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.CLOSE, b"\x03")
    ann.hears_close(1002)


def test_an_unmasked_frame_is_1002(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.TEXT, b'[null,"1","phoenix","heartbeat",{}]', mask=b"")
    ann.hears_close(1002)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_a_reserved_opcode_is_1002(clients: Clients, opcode: int) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(opcode, b"x")
    ann.hears_close(1002)


@pytest.mark.parametrize("reserved", [4, 2, 1])
def test_a_reserved_bit_without_an_extension_is_1002(clients: Clients, reserved: int) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.TEXT, b"x", reserved=reserved)
    ann.hears_close(1002)


def test_a_ping_in_fragments_is_1002(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.PING, b"x", final=False)
    ann.hears_close(1002)


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG, Opcode.CLOSE])
def test_a_control_frame_of_126_bytes_is_1002(clients: Clients, opcode: Opcode) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(opcode, bytes(126))
    ann.hears_close(1002)


def test_a_continuation_without_a_first_fragment_is_1002(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.CONTINUATION, b"x")
    ann.hears_close(1002)


def test_a_new_text_before_the_last_fragment_of_another_is_1002(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.TEXT, b"[", final=False)
    ann.websocket.send(Opcode.TEXT, b"]")
    ann.hears_close(1002)


@pytest.mark.parametrize("text", [b"\x5b\xff\xfe\x5d", b'["\xc3"]', b'["\xed\xa0\x80"]', b'["\xc0\x80"]'])
def test_a_text_that_is_not_utf8_is_1007(clients: Clients, text: bytes) -> None:
    ann = clients.connect("ann")
    ann.websocket.send(Opcode.TEXT, text)
    ann.hears_close(1007)
