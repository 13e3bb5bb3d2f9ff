"""Binary messages are relayed unchanged to websockets of version 2, and not saved."""

from tests.support.phoenix_client import binary_push
from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import INVALID, JOINED, OK, UNMATCHED, posted, saved


def relayed(topic: str, data: bytes) -> bytes:
    """Builds a binary broadcast: 02, the sizes of topic and event, the two, the data."""
    return bytes((2, len(topic), 11)) + topic.encode() + b"new_message" + data


def test_a_binary_message_is_relayed_byte_for_byte(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:bin")
    bo.joins("chat_room:bin", "1")
    ann.says_binary(bytes.fromhex("0001010d0b3334636861745f726f6f6d3a62696e6e65775f6d657373616765010203"))
    ann.hears_binary(bytes.fromhex("020d0b636861745f726f6f6d3a62696e6e65775f6d657373616765010203"))
    ann.hears(f'["3","4","chat_room:bin","phx_reply",{OK}]')
    bo.hears_binary(bytes.fromhex("020d0b636861745f726f6f6d3a62696e6e65775f6d657373616765010203"))


def test_any_bytes_are_relayed_unchanged(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:bytes")
    bo.joins("chat_room:bytes", "1")
    for ref, data in enumerate((b"\0\1\2\xfa\xff", b"", bytes(range(256)) * 100), 4):
        ann.says_binary(binary_push("3", str(ref), "chat_room:bytes", "new_message", data))
        ann.hears_binary(relayed("chat_room:bytes", data))
        ann.hears(f'["3","{ref}","chat_room:bytes","phx_reply",{OK}]')
        bo.hears_binary(relayed("chat_room:bytes", data))


def test_a_binary_message_is_not_saved_and_has_no_seq(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:bin-unsaved")
    ann.says_binary(binary_push("3", "4", "chat_room:bin-unsaved", "new_message", b"abc"))
    ann.hears_binary(relayed("chat_room:bin-unsaved", b"abc"))
    ann.hears(f'["3","4","chat_room:bin-unsaved","phx_reply",{OK}]')
    ann.says('["3","5","chat_room:bin-unsaved","new_message",{"name":"ann","message":"hello"}]')
    ann.hears(f'[null,null,"chat_room:bin-unsaved","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["3","5","chat_room:bin-unsaved","phx_reply",{saved(1)}]')
    bo.joins("chat_room:bin-unsaved", "1")
    bo.hears(f'["1",null,"chat_room:bin-unsaved","new_message",{posted(1, "ann", "hello")}]')


def test_clients_of_version_1_and_polling_clients_are_sent_no_binary_messages(clients: Clients) -> None:
    ann, old, lee = clients.connect("ann"), clients.connect("old", "vsn=1.0.0"), clients.poll("lee")
    ann.joins("chat_room:bin-old")
    old.says('{"topic":"chat_room:bin-old","event":"phx_join","payload":{},"ref":"1"}')
    old.hears(f'{{"event":"phx_reply","payload":{JOINED},"ref":"1","topic":"chat_room:bin-old"}}')
    lee.says('["1","1","chat_room:bin-old","phx_join",{}]')
    lee.hears(f'["1","1","chat_room:bin-old","phx_reply",{JOINED}]')
    for data in (b"abc", b"\xfa\xff"):
        ann.says_binary(binary_push("3", "4", "chat_room:bin-old", "new_message", data))
        ann.hears_binary(relayed("chat_room:bin-old", data))
        ann.hears(f'["3","4","chat_room:bin-old","phx_reply",{OK}]')
    ann.says('["3","5","chat_room:bin-old","typing",{"name":"ann"}]')
    ann.hears(f'["3","5","chat_room:bin-old","phx_reply",{OK}]')
    old.hears('{"event":"typing","payload":{"name":"ann"},"ref":null,"topic":"chat_room:bin-old"}')
    lee.hears('[null,null,"chat_room:bin-old","typing",{"name":"ann"}]')


def test_an_empty_join_ref_in_a_binary_push_is_stale(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:bin-stale")
    ann.says_binary(binary_push("", "", "chat_room:bin-stale", "new_message", b"stale"))
    ann.says_binary(binary_push("2", "4", "chat_room:bin-stale", "new_message", b"stale"))
    ann.says_binary(binary_push("3", "5", "chat_room:bin-stale", "new_message", b"mine"))
    ann.hears_binary(relayed("chat_room:bin-stale", b"mine"))
    ann.hears(f'["3","5","chat_room:bin-stale","phx_reply",{OK}]')


def test_a_binary_push_to_a_topic_that_is_not_joined_is_unmatched(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says_binary(binary_push("3", "8", "chat_room:none", "new_message", b"\1"))
    ann.hears(f'[null,"8","chat_room:none","phx_reply",{UNMATCHED}]')


def test_a_heartbeat_may_be_binary(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says_binary(bytes.fromhex("00000107093970686f656e6978686561727462656174"))
    ann.hears(f'[null,"9","phoenix","phx_reply",{OK}]')


def test_a_leave_may_be_binary(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:bin-leave")
    ann.says_binary(binary_push("3", "4", "chat_room:bin-leave", "phx_leave", b""))
    ann.hears(f'["3","4","chat_room:bin-leave","phx_reply",{OK}]')
    ann.hears('["3","3","chat_room:bin-leave","phx_close",{}]')


def test_a_binary_join_is_invalid_because_its_payload_is_no_object(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says_binary(binary_push("10", "10", "chat_room:bj", "phx_join", b"\1"))
    ann.hears(f'["10","10","chat_room:bj","phx_reply",{INVALID}]')
    ann.lives()


def test_a_binary_payload_is_invalid_for_an_event_that_takes_an_object(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:bin-typing")
    for event in ("typing", "history"):
        ann.says_binary(binary_push("3", "4", "chat_room:bin-typing", event, b'{"name":"ann"}'))
        ann.hears(f'["3","4","chat_room:bin-typing","phx_reply",{INVALID}]')
