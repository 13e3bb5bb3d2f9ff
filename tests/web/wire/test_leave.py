"""A channel ends by a leave, or by a second join of its topic."""

import pytest

from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import INVALID, JOINED, OK, UNMATCHED, posted, refused, saved


def test_a_leave_is_answered_and_then_the_channel_closes(clients: Clients) -> None:
    ann, bo = clients.connect("ann"), clients.connect("bo")
    ann.joins("chat_room:leave")
    bo.joins("chat_room:leave", "1")
    ann.says('["3","4","chat_room:leave","phx_leave",{}]')
    ann.hears(f'["3","4","chat_room:leave","phx_reply",{OK}]')
    ann.hears('["3","3","chat_room:leave","phx_close",{}]')
    bo.says('["1","2","chat_room:leave","new_message",{"name":"bob","message":"bye"}]')
    bo.hears(f'[null,null,"chat_room:leave","new_message",{posted(1, "bob", "bye")}]')
    bo.hears(f'["1","2","chat_room:leave","phx_reply",{saved(1)}]')
    ann.says('["3","5","chat_room:leave","new_message",{"name":"ann","message":"b"}]')
    ann.hears(f'[null,"5","chat_room:leave","phx_reply",{UNMATCHED}]')


def test_a_leave_of_a_topic_that_is_not_joined_is_answered_too(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:twice")
    ann.says('["3","4","chat_room:twice","phx_leave",{}]')
    ann.hears(f'["3","4","chat_room:twice","phx_reply",{OK}]')
    ann.hears('["3","3","chat_room:twice","phx_close",{}]')
    ann.says('["3","5","chat_room:twice","phx_leave",{}]')
    ann.hears(f'["3","5","chat_room:twice","phx_reply",{OK}]')
    ann.says('["3","6","nowhere:1","phx_leave",{}]')
    ann.hears(f'["3","6","nowhere:1","phx_reply",{OK}]')


@pytest.mark.alone
def test_a_message_is_acknowledged_even_if_its_sender_left_meanwhile(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:parting")
    ann.says(
        '["3","4","chat_room:parting","new_message",{"name":"ann","message":"bye"}]',
        '["3","5","chat_room:parting","phx_leave",{}]',
    )
    ann.hears(f'[null,null,"chat_room:parting","new_message",{posted(1, "ann", "bye")}]')
    ann.hears(f'["3","5","chat_room:parting","phx_reply",{OK}]')
    ann.hears('["3","3","chat_room:parting","phx_close",{}]')
    ann.hears(f'["3","4","chat_room:parting","phx_reply",{saved(1)}]')


def test_after_a_leave_the_topic_may_be_joined_again(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:again")
    ann.says('["3","4","chat_room:again","phx_leave",{}]')
    ann.says('["5","5","chat_room:again","phx_join",{}]')
    ann.hears(f'["3","4","chat_room:again","phx_reply",{OK}]')
    ann.hears('["3","3","chat_room:again","phx_close",{}]')
    ann.hears(f'["5","5","chat_room:again","phx_reply",{JOINED}]')
    ann.says('["5","6","chat_room:again","typing",{"name":"ann"}]')
    ann.hears(f'["5","6","chat_room:again","phx_reply",{OK}]')


def test_a_second_join_of_a_topic_ends_the_first(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:double")
    ann.says('["4","4","chat_room:double","phx_join",{}]')
    ann.hears(f'["4","4","chat_room:double","phx_reply",{JOINED}]')
    ann.hears('["3","3","chat_room:double","phx_close",{}]')
    # the same join_ref once more
    ann.says('["4","4","chat_room:double","phx_join",{}]')
    ann.hears(f'["4","4","chat_room:double","phx_reply",{JOINED}]')
    ann.hears('["4","4","chat_room:double","phx_close",{}]')
    # a push with the first join_ref, then with the live one
    ann.says('["3","5","chat_room:double","typing",{"name":"ann"}]')
    ann.says('["4","6","chat_room:double","typing",{"name":"ann"}]')
    ann.hears(f'["4","6","chat_room:double","phx_reply",{OK}]')


def test_a_client_that_joined_twice_hears_each_message_once(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:once")
    ann.says('["4","4","chat_room:once","phx_join",{}]')
    ann.hears(f'["4","4","chat_room:once","phx_reply",{JOINED}]')
    ann.hears('["3","3","chat_room:once","phx_close",{}]')
    ann.says('["4","5","chat_room:once","new_message",{"name":"ann","message":"hello"}]')
    ann.hears(f'[null,null,"chat_room:once","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["4","5","chat_room:once","phx_reply",{saved(1)}]')


def test_a_second_join_is_followed_by_the_latest_messages_again(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:reread")
    ann.says('["3","4","chat_room:reread","new_message",{"name":"ann","message":"hello"}]')
    ann.hears(f'[null,null,"chat_room:reread","new_message",{posted(1, "ann", "hello")}]')
    ann.hears(f'["3","4","chat_room:reread","phx_reply",{saved(1)}]')
    ann.says('["5","5","chat_room:reread","phx_join",{}]')
    ann.hears(f'["5","5","chat_room:reread","phx_reply",{JOINED}]')
    ann.hears('["3","3","chat_room:reread","phx_close",{}]')
    ann.hears(f'["5",null,"chat_room:reread","new_message",{posted(1, "ann", "hello")}]')


def test_a_second_join_ends_the_first_even_when_it_is_refused(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:dd", "8")
    ann.says('["9","9","chat_room:dd","phx_join",{"unauthorized":true}]')
    ann.hears(f'["9","9","chat_room:dd","phx_reply",{refused("unauthorized")}]')
    ann.hears('["8","8","chat_room:dd","phx_close",{}]')
    ann.says('["8","10","chat_room:dd","new_message",{"name":"a","message":"b"}]')
    ann.hears(f'[null,"10","chat_room:dd","phx_reply",{UNMATCHED}]')


def test_a_second_join_ends_the_first_even_when_it_is_invalid(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.joins("chat_room:di", "8")
    ann.says('["9","9","chat_room:di","phx_join",[1]]')
    ann.hears(f'["9","9","chat_room:di","phx_reply",{INVALID}]')
    ann.hears('["8","8","chat_room:di","phx_close",{}]')
    ann.says('["8","10","chat_room:di","typing",{"name":"ann"}]')
    ann.hears(f'[null,"10","chat_room:di","phx_reply",{UNMATCHED}]')


def test_joins_pushes_and_leaves_may_be_sent_without_waiting_for_answers(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says(
        '["3","3","chat_room:hurry","phx_join",{}]',
        '["4","4","chat_room:hurry","phx_join",{}]',
        '["4","5","chat_room:hurry","typing",{"name":"ann"}]',
        '["4","6","chat_room:hurry","phx_leave",null]',
        '["4","7","chat_room:hurry","typing",{"name":"ann"}]',
    )
    ann.hears(f'[null,"7","chat_room:hurry","phx_reply",{UNMATCHED}]')  # the channel is gone: no room is asked
    ann.hears(f'["3","3","chat_room:hurry","phx_reply",{JOINED}]')
    ann.hears(f'["4","4","chat_room:hurry","phx_reply",{JOINED}]')
    ann.hears('["3","3","chat_room:hurry","phx_close",{}]')
    ann.hears(f'["4","5","chat_room:hurry","phx_reply",{OK}]')
    ann.hears(f'["4","6","chat_room:hurry","phx_reply",{OK}]')
    ann.hears('["4","4","chat_room:hurry","phx_close",{}]')


def test_a_client_may_join_a_hundred_channels(clients: Clients) -> None:
    ann = clients.connect("ann")
    for number in range(1, 101):
        ann.joins(f"chat_room:c{number}", str(number))
    ann.says('["101","101","chat_room:c101","phx_join",{}]')
    ann.hears(f'["101","101","chat_room:c101","phx_reply",{refused("too many channels joined")}]')
    # after a leave another channel may be joined
    ann.says('["1","102","chat_room:c1","phx_leave",{}]')
    ann.hears(f'["1","102","chat_room:c1","phx_reply",{OK}]')
    ann.hears('["1","1","chat_room:c1","phx_close",{}]')
    ann.joins("chat_room:c101", "103")
    # a second join of a topic replaces the first, and needs no further channel
    ann.says('["104","104","chat_room:c2","phx_join",{}]')
    ann.hears(f'["104","104","chat_room:c2","phx_reply",{JOINED}]')
    ann.hears('["2","2","chat_room:c2","phx_close",{}]')
