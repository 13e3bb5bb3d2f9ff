"""Presence has a meta for each connection, and tells who joins and who leaves."""

from tests.support.phoenix_client import Opcode, frame
from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import INVALID, JOINED, OK, posted, saved
from tests.web.wire.transcript import WebSocketClient


def metas(*connections: str) -> str:
    """Returns the metas of one name, by the names of its connections in this test."""
    of_each = ",".join(f'{{"online_at":"<seconds>","phx_ref":"<phx_ref {name}>"}}' for name in connections)
    return f'{{"metas":[{of_each}]}}'


def diff(topic: str, joins: str = "", leaves: str = "") -> str:
    """Returns a `presence_diff`."""
    return f'[null,null,"{topic}","presence_diff",{{"joins":{{{joins}}},"leaves":{{{leaves}}}}}]'


def enters(client: WebSocketClient, topic: str, name: str, *here: str, connection: str = "") -> None:
    """Joins with a name, and hears its own presence; `here` is who is present already."""
    me = f'"{name}":{metas(connection or name)}'
    client.says(f'["1","1","{topic}","phx_join",{{"name":"{name}"}}]')
    client.hears(f'["1","1","{topic}","phx_reply",{JOINED}]')
    client.hears(f'["1",null,"{topic}","presence_state",{{{",".join([*here, me])}}}]')
    client.hears(diff(topic, joins=me))


def test_a_client_that_joins_with_a_name_hears_the_presence_with_itself(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('["3","3","chat_room:w1","phx_join",{"name":"ann"}]')
    ann.hears(f'["3","3","chat_room:w1","phx_reply",{JOINED}]')
    meta = '{"metas":[{"online_at":"<seconds>","phx_ref":"<phx_ref ann>"}]}'
    ann.hears(f'["3",null,"chat_room:w1","presence_state",{{"ann":{meta}}}]')
    ann.hears(f'[null,null,"chat_room:w1","presence_diff",{{"joins":{{"ann":{meta}}},"leaves":{{}}}}]')


def test_a_client_that_asks_for_the_presence_hears_it_without_being_present(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(ann, "chat_room:w7", "ann")
    bo.says('["1","1","chat_room:w7","phx_join",{"presence":true}]')
    bo.hears(f'["1","1","chat_room:w7","phx_reply",{JOINED}]')
    bo.hears(f'["1",null,"chat_room:w7","presence_state",{{"ann":{metas("ann")}}}]')
    ann.says('["1","2","chat_room:w7","phx_leave",{}]')
    ann.hears(f'["1","2","chat_room:w7","phx_reply",{OK}]')
    ann.hears('["1","1","chat_room:w7","phx_close",{}]')
    bo.hears(diff("chat_room:w7", leaves=f'"ann":{metas("ann")}'))


def test_everybody_hears_who_joins_and_who_leaves(clients: Clients) -> None:
    topic = "chat_room:w2"
    ann, bo, second, dan = (clients.connect(name) for name in ("ann", "bo", "bo's second", "dan"))
    enters(ann, topic, "ann")
    enters(bo, topic, "bob", f'"ann":{metas("ann")}')
    ann.hears(diff(topic, joins=f'"bob":{metas("bob")}'))
    # a second connection of the same name: one more meta under the same key, in the state after the first
    second.says(f'["1","1","{topic}","phx_join",{{"name":"bob"}}]')
    second.hears(f'["1","1","{topic}","phx_reply",{JOINED}]')
    second.hears(f'["1",null,"{topic}","presence_state",{{"ann":{metas("ann")},"bob":{metas("bob", "second")}}}]')
    for client in (second, ann, bo):
        client.hears(diff(topic, joins=f'"bob":{metas("second")}'))
    second.says(f'["1","2","{topic}","phx_leave",{{}}]')
    second.hears(f'["1","2","{topic}","phx_reply",{OK}]')
    second.hears(f'["1","1","{topic}","phx_close",{{}}]')
    ann.hears(diff(topic, leaves=f'"bob":{metas("second")}'))
    bo.hears(diff(topic, leaves=f'"bob":{metas("second")}'))
    # the connection is cut
    bo.hangs_up()
    ann.hears(diff(topic, leaves=f'"bob":{metas("bob")}'))
    # a close frame instead
    enters(dan, topic, "dan", f'"ann":{metas("ann")}')
    ann.hears(diff(topic, joins=f'"dan":{metas("dan")}'))
    dan.says_close(1000)
    dan.hears_close(1000)
    ann.hears(diff(topic, leaves=f'"dan":{metas("dan")}'))


def test_a_client_whose_frame_cannot_be_read_leaves_the_presence(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(ann, "chat_room:w3", "ann")
    enters(bo, "chat_room:w3", "bob", f'"ann":{metas("ann")}')
    ann.hears(diff("chat_room:w3", joins=f'"bob":{metas("bob")}'))
    bo.says("{not json")
    bo.hears_close(1011)
    ann.hears(diff("chat_room:w3", leaves=f'"bob":{metas("bob")}'))


def test_the_latest_messages_come_before_the_presence_state(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:w4")
    ann.says('["3","4","chat_room:w4","new_message",{"name":"ann","message":"hello"}]')
    ann.hears(f'[null,null,"chat_room:w4","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["3","4","chat_room:w4","phx_reply",{saved(1)}]')
    bo.says('["1","1","chat_room:w4","phx_join",{"name":"bob"}]')
    bo.hears(f'["1","1","chat_room:w4","phx_reply",{JOINED}]')
    bo.hears(f'["1",null,"chat_room:w4","new_message",{posted(1, "ann", "hello")}]')
    bo.hears(f'["1",null,"chat_room:w4","presence_state",{{"bob":{metas("bob")}}}]')
    for client in (bo, ann):
        client.hears(diff("chat_room:w4", joins=f'"bob":{metas("bob")}'))


def test_a_client_that_joins_without_a_name_is_not_in_the_presence(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(ann, "chat_room:w5", "ann")
    bo.joins("chat_room:w5")
    bo.says('["3","4","chat_room:w5","phx_leave",{}]')
    bo.hears(f'["3","4","chat_room:w5","phx_reply",{OK}]')
    bo.hears('["3","3","chat_room:w5","phx_close",{}]')
    ann.says('["1","2","chat_room:w5","typing",{"name":"ann"}]')
    ann.hears(f'["1","2","chat_room:w5","phx_reply",{OK}]')


def test_a_second_join_on_one_connection_replaces_the_first_in_the_presence(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(bo, "chat_room:w6", "bob")
    enters(ann, "chat_room:w6", "ann", f'"bob":{metas("bob")}')
    bo.hears(diff("chat_room:w6", joins=f'"ann":{metas("ann")}'))
    ann.says('["2","2","chat_room:w6","phx_join",{"name":"ann"}]')
    ann.hears(f'["2","2","chat_room:w6","phx_reply",{JOINED}]')
    ann.hears('["1","1","chat_room:w6","phx_close",{}]')
    ann.hears(f'["2",null,"chat_room:w6","presence_state",{{"ann":{metas("second")},"bob":{metas("bob")}}}]')
    change = diff("chat_room:w6", joins=f'"ann":{metas("second")}', leaves=f'"ann":{metas("ann")}')
    ann.hears(change)
    bo.hears(change)


def test_a_join_with_an_invalid_name_is_refused(clients: Clients) -> None:
    ann = clients.connect("ann")
    for name in ('""', '" "', "1", "[]", '"a\\u0000"', f'"{"x" * 65}"'):
        ann.says(f'["1","1","chat_room:w7","phx_join",{{"name":{name}}}]')
        ann.hears(f'["1","1","chat_room:w7","phx_reply",{INVALID.replace("payload", "name")}]')


def test_a_client_that_joins_and_closes_in_one_packet_is_not_left_in_the_presence(clients: Clients) -> None:
    ann, bo, eve = clients.connect("ann"), clients.connect("bo"), clients.connect("eve")
    bo.joins("chat_room:w10")
    join = frame(Opcode.TEXT, b'["1","1","chat_room:w10","phx_join",{"name":"ann"}]')
    ann.websocket.connection.send(join + frame(Opcode.CLOSE, b""))
    ann.hears_close(1000)
    bo.hears(diff("chat_room:w10", joins=f'"ann":{metas("ann")}', leaves=f'"ann":{metas("ann")}'))
    enters(eve, "chat_room:w10", "eve")
    bo.hears(diff("chat_room:w10", joins=f'"eve":{metas("eve")}'))


def test_each_room_has_its_own_presence(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(ann, "chat_room:w8", "ann")
    enters(bo, "chat_room:w9", "bob")
