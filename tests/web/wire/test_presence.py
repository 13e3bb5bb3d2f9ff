"""Presence: who is here, one meta a connection; who came, and who went by a leave, a cut or a close frame."""

from tests.support.phoenix_client import Opcode, frame
from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import INVALID, JOINED, OK, posted, saved
from tests.web.wire.transcript import Speaker


def metas(*connections: str) -> str:
    """The metas of one name, by the names of its connections in this test."""
    of_each = ",".join(f'{{"online_at":"<seconds>","phx_ref":"<phx_ref {name}>"}}' for name in connections)
    return f'{{"metas":[{of_each}]}}'


def diff(topic: str, joins: str = "", leaves: str = "") -> str:
    """A `presence_diff`."""
    return f'[null,null,"{topic}","presence_diff",{{"joins":{{{joins}}},"leaves":{{{leaves}}}}}]'


def enters(speaker: Speaker, topic: str, name: str, *here: str, connection: str = "") -> None:
    """Join under a name and hear of it; `here` is who is there already."""
    me = f'"{name}":{metas(connection or name)}'
    speaker.says(f'["1","1","{topic}","phx_join",{{"name":"{name}"}}]')
    speaker.hears(f'["1","1","{topic}","phx_reply",{JOINED}]')
    speaker.hears(f'["1",null,"{topic}","presence_state",{{{",".join([*here, me])}}}]')
    speaker.hears(diff(topic, joins=me))


def test_one_who_joins_under_a_name_hears_who_is_here_and_of_itself(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('["3","3","chat_room:w1","phx_join",{"name":"ann"}]')
    ann.hears(f'["3","3","chat_room:w1","phx_reply",{JOINED}]')
    meta = '{"metas":[{"online_at":"<seconds>","phx_ref":"<phx_ref ann>"}]}'
    ann.hears(f'["3",null,"chat_room:w1","presence_state",{{"ann":{meta}}}]')
    ann.hears(f'[null,null,"chat_room:w1","presence_diff",{{"joins":{{"ann":{meta}}},"leaves":{{}}}}]')


def test_everybody_hears_who_comes_and_who_goes(clients: Clients) -> None:
    topic = "chat_room:w2"
    ann, bo, second, dan = (clients.connect(name) for name in ("ann", "bo", "bo's second", "dan"))
    enters(ann, topic, "ann")
    enters(bo, topic, "bob", f'"ann":{metas("ann")}')
    ann.hears(diff(topic, joins=f'"bob":{metas("bob")}'))
    # a second connection of the same name: one more meta under the same key, in the state after the first
    second.says(f'["1","1","{topic}","phx_join",{{"name":"bob"}}]')
    second.hears(f'["1","1","{topic}","phx_reply",{JOINED}]')
    second.hears(f'["1",null,"{topic}","presence_state",{{"ann":{metas("ann")},"bob":{metas("bob", "second")}}}]')
    for speaker in (second, ann, bo):
        speaker.hears(diff(topic, joins=f'"bob":{metas("second")}'))
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


def test_one_whose_frame_cannot_be_read_is_gone_too(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(ann, "chat_room:w3", "ann")
    enters(bo, "chat_room:w3", "bob", f'"ann":{metas("ann")}')
    ann.hears(diff("chat_room:w3", joins=f'"bob":{metas("bob")}'))
    bo.says("{not json")
    bo.hears_close(1011)
    ann.hears(diff("chat_room:w3", leaves=f'"bob":{metas("bob")}'))


def test_the_latest_messages_come_before_who_is_here(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:w4")
    ann.says('["3","4","chat_room:w4","new_message",{"name":"ann","message":"hello"}]')
    ann.hears(f'[null,null,"chat_room:w4","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["3","4","chat_room:w4","phx_reply",{saved(1)}]')
    bo.says('["1","1","chat_room:w4","phx_join",{"name":"bob"}]')
    bo.hears(f'["1","1","chat_room:w4","phx_reply",{JOINED}]')
    bo.hears(f'["1",null,"chat_room:w4","new_message",{posted(1, "ann", "hello")}]')
    bo.hears(f'["1",null,"chat_room:w4","presence_state",{{"bob":{metas("bob")}}}]')
    for speaker in (bo, ann):
        speaker.hears(diff("chat_room:w4", joins=f'"bob":{metas("bob")}'))


def test_one_who_joins_without_a_name_is_not_shown(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(ann, "chat_room:w5", "ann")
    bo.joins("chat_room:w5")
    bo.says('["3","4","chat_room:w5","phx_leave",{}]')
    bo.hears(f'["3","4","chat_room:w5","phx_reply",{OK}]')
    bo.hears('["3","3","chat_room:w5","phx_close",{}]')
    ann.says('["1","2","chat_room:w5","typing",{"name":"ann"}]')
    ann.hears(f'["1","2","chat_room:w5","phx_reply",{OK}]')


def test_a_second_join_on_one_socket_takes_the_place_of_the_first(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(bo, "chat_room:w6", "bob")
    enters(ann, "chat_room:w6", "ann", f'"bob":{metas("bob")}')
    bo.hears(diff("chat_room:w6", joins=f'"ann":{metas("ann")}'))
    ann.says('["2","2","chat_room:w6","phx_join",{"name":"ann"}]')
    ann.hears(f'["2","2","chat_room:w6","phx_reply",{JOINED}]')
    ann.hears('["1","1","chat_room:w6","phx_close",{}]')
    ann.hears(f'["2",null,"chat_room:w6","presence_state",{{"ann":{metas("anew")},"bob":{metas("bob")}}}]')
    change = diff("chat_room:w6", joins=f'"ann":{metas("anew")}', leaves=f'"ann":{metas("ann")}')
    ann.hears(change)
    bo.hears(change)


def test_a_name_that_cannot_be_shown_is_invalid(clients: Clients) -> None:
    ann = clients.connect("ann")
    for name in ('""', '" "', "1", "[]", '"a\\u0000"', f'"{"x" * 65}"'):
        ann.says(f'["1","1","chat_room:w7","phx_join",{{"name":{name}}}]')
        ann.hears(f'["1","1","chat_room:w7","phx_reply",{INVALID.replace("payload", "name")}]')


def test_one_who_comes_and_goes_in_one_packet_leaves_no_ghost(clients: Clients) -> None:
    ann, bo, eve = clients.connect("ann"), clients.connect("bo"), clients.connect("eve")
    bo.joins("chat_room:w10")
    join = frame(Opcode.TEXT, b'["1","1","chat_room:w10","phx_join",{"name":"ann"}]')
    ann.websocket.connection.send(join + frame(Opcode.CLOSE, b""))
    ann.hears_close(1000)
    bo.hears(diff("chat_room:w10", joins=f'"ann":{metas("ann")}', leaves=f'"ann":{metas("ann")}'))
    enters(eve, "chat_room:w10", "eve")
    bo.hears(diff("chat_room:w10", joins=f'"eve":{metas("eve")}'))


def test_presence_is_of_one_room(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    enters(ann, "chat_room:w8", "ann")
    enters(bo, "chat_room:w9", "bob")
