"""JSON is relayed with few escapes and exact values; invalid JSON is refused."""

import json

import pytest

from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import INVALID, OK, UNMATCHED


def test_the_server_escapes_only_what_json_requires(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says(r'[null,"1","<>&/\/\u2028\u00e9\ud83d\ude00\"\\\n\t é😀","x",{}]')
    topic = '"<>&//\u2028é😀' + r"\"\\\n\t" + ' é😀"'
    ann.hears_exactly(f'[null,"1",{topic},"phx_reply",{{"response":{{"reason":"unmatched topic"}},"status":"error"}}]')


def test_the_server_escapes_control_characters(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says(r'[null,"1","\u0000\u001f\u007f\b\f\r","x",{}]')
    topic = r'"\u0000\u001f' + "\x7f" + r'\b\f\r"'
    ann.hears_exactly(f'[null,"1",{topic},"phx_reply",{{"response":{{"reason":"unmatched topic"}},"status":"error"}}]')


@pytest.mark.parametrize("character", [r"\u0000", r"\u001f", r"\u007f", r"\b", r"\f", r"\r", r"\u0085"])
def test_a_name_with_a_control_character_is_invalid(clients: Clients, character: str) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:control")
    ann.says(f'["3","4","chat_room:control","typing",{{"name":"a{character}b"}}]')
    ann.hears(f'["3","4","chat_room:control","phx_reply",{INVALID.replace("payload", "name")}]')


@pytest.mark.parametrize("topic", ["1", "1.5", "123456789012345678901234567890", "true", "[1,2]", '{"b":1,"a":2}'])
def test_a_topic_of_any_json_value_is_returned_exactly(clients: Clients, topic: str) -> None:
    ann = clients.connect("ann")
    ann.says(f'[null,{topic},{topic},"x",{{}}]')
    ann.hears(f'[null,{topic},{topic},"phx_reply",{UNMATCHED}]')


def test_an_unknown_key_with_unusual_numbers_is_ignored(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:numbers")
    numbers = "[1,1.0,1e2,-0.0,-0,0.1,1e-7,123456789012345678901234567890,1.7976931348623157e308,1e22,12345678.9]"
    ann.says(f'["3","6","chat_room:numbers","typing",{{"name":"ann","n":{numbers}}}]')
    ann.hears(f'["3","6","chat_room:numbers","phx_reply",{OK}]')


def test_the_last_of_two_equal_keys_counts(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:keys")
    bo.joins("chat_room:keys", "1")
    ann.says('["3","7","chat_room:keys","typing",{"name":"first","a":2,"name":"second"}]')
    bo.hears('[null,null,"chat_room:keys","typing",{"name":"second"}]')
    ann.hears(f'["3","7","chat_room:keys","phx_reply",{OK}]')


def test_white_space_between_values_is_tolerated(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:space")
    ann.says(' [ "3" , "8" , "chat_room:space" , "typing" , { "name" : "ann" } ] ')
    ann.hears(f'["3","8","chat_room:space","phx_reply",{OK}]')
    ann.says('\r\n[\t"3"\n,\n"9","chat_room:space",\t"typing",\n{\n"name":\t"ann"\n}\n]\n')
    ann.hears(f'["3","9","chat_room:space","phx_reply",{OK}]')


@pytest.mark.parametrize("value", ["1E400000000000", r'"\ud800"', '"\x01"', '"\n"', "01", "NaN", "'a'", "1,", r'"\x"'])
@pytest.mark.parametrize("event", ["typing", "phx_join", "no_such_event"])
def test_a_payload_that_is_no_json_ends_the_connection(clients: Clients, event: str, value: str) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:no-json")
    ann.says(f'["3","5","chat_room:no-json","{event}",{{"name":"ann","a":{value}}}]')
    ann.hears_close(1011)


@pytest.mark.parametrize("value", ["1E400000000000", r'"\ud800"', '"\x01"', '"\n"', "01", "NaN"])
def test_a_ref_that_is_no_json_ends_the_connection(clients: Clients, value: str) -> None:
    ann = clients.connect("ann")
    ann.says(f'[null,{value},"phoenix","heartbeat",{{}}]')
    ann.hears_close(1011)


def test_deeply_nested_json_ends_only_the_connection_that_sent_it(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:deep")
    ann.says('["3","4","chat_room:deep","typing",{"name":"ann","a":' + "[" * 20_000 + "]" * 20_000 + "}]")
    ann.hears_close(1011)
    bo.lives()


def test_a_long_topic_is_returned_whole(clients: Clients) -> None:
    ann = clients.connect("ann")
    topic = json.dumps("é" * 128, ensure_ascii=False)
    ann.says(f'[null,"1",{topic},"x",{{}}]')
    ann.hears(f'[null,"1",{topic},"phx_reply",{UNMATCHED}]')
