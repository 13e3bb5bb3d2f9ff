"""The topic `phoenix` is no room: it only answers heartbeats."""

from tests.web.wire.clients import Clients
from tests.web.wire.placeholders import OK, UNMATCHED


def test_a_heartbeat_is_answered_with_its_ref_and_never_with_a_join_ref(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('[null,"1","phoenix","heartbeat",{}]')
    ann.hears(f'[null,"1","phoenix","phx_reply",{OK}]')
    ann.says('["7","2","phoenix","heartbeat",{}]')
    ann.hears(f'[null,"2","phoenix","phx_reply",{OK}]')
    ann.says('[null,null,"phoenix","heartbeat",{}]')
    ann.hears(f'[null,null,"phoenix","phx_reply",{OK}]')


def test_other_events_to_phoenix_are_unmatched(clients: Clients) -> None:
    ann = clients.connect("ann")
    ann.says('[null,"4","phoenix","other",{}]')
    ann.hears(f'[null,"4","phoenix","phx_reply",{UNMATCHED}]')
    ann.says('["5","5","phoenix","phx_join",{}]')
    ann.hears(f'[null,"5","phoenix","phx_reply",{UNMATCHED}]')
