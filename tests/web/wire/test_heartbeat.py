"""The topic `phoenix`, which is no room."""

from tests.web.wire.blanks import OK, UNMATCHED
from tests.web.wire.stages import Stage


def test_a_heartbeat_is_answered_with_its_ref_and_never_with_a_join_ref(stage: Stage) -> None:
    ann = stage.connect("ann")
    ann.says('[null,"1","phoenix","heartbeat",{}]')
    ann.hears(f'[null,"1","phoenix","phx_reply",{OK}]')
    ann.says('["7","2","phoenix","heartbeat",{}]')
    ann.hears(f'[null,"2","phoenix","phx_reply",{OK}]')
    ann.says('[null,null,"phoenix","heartbeat",{}]')
    ann.hears(f'[null,null,"phoenix","phx_reply",{OK}]')


def test_nothing_else_can_be_said_to_phoenix(stage: Stage) -> None:
    ann = stage.connect("ann")
    ann.says('[null,"4","phoenix","other",{}]')
    ann.hears(f'[null,"4","phoenix","phx_reply",{UNMATCHED}]')
    ann.says('["5","5","phoenix","phx_join",{}]')
    ann.hears(f'[null,"5","phoenix","phx_reply",{UNMATCHED}]')
