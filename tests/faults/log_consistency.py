"""Checks after a fault that the log, the states beside it, acknowledgements and readers agree."""

from functools import partial

from chatter.messages import Entry, Reacted
from tests.faults.crowd import Crowd, Editor
from tests.support.log_client import LogClient
from tests.support.log_truth import check_reactions, folded, read_log, reading, states
from tests.support.server import Server, run_to_its_end


def check_log(crowd: Crowd, server: Server) -> None:
    """Ends what the crowd does, and checks that nothing is missing or done twice, and that everybody holds the same."""
    crowd.finish_posting()
    with reading(server.database_url):
        for room in crowd.rooms:
            log = read_log(room)
            rows = folded(log)
            assert [entry.seq for entry in log] == list(range(1, len(log) + 1)), "seq has gaps"
            assert rows == states(room), "what messages are is not the fold of the log"
            check_reactions(room, rows)
            for editor in crowd.editors:
                if editor.room == room:
                    _check_acknowledged(editor, log)
            for reader in (each for each in crowd.log_readers if each.room == room):
                client = reader.client
                crowd.wait_until(partial(_is_quiet, client, log[-1].seq))
                assert client.rows == {seq: row for seq, row in rows.items() if seq > client.complete_after}
                assert client.times_started_over == 0
    checked = run_to_its_end("check", f"--database={server.database_url}", f"--spool-folder={server.database.parent}")
    assert (checked.exit_code, checked.stdout) == (0, "no faults\n")


def _check_acknowledged(editor: Editor, log: list[Entry]) -> None:
    ids = [entry.id for entry in log if entry.name == editor.name]
    for id, seq in editor.acknowledged.items():
        assert (ids.count(id), log[seq - 1].id) == (1, id), "a message was acknowledged and is not there once"
    for ref, answer in editor.done.items():
        event, payload = editor.operations[ref]
        entry = log[answer["seq"] - 1]
        if "id" not in answer:
            continue  # it was so already
        assert entry.id == answer["id"]
        if event in ("react", "unreact"):
            assert isinstance(entry, Reacted)
            assert payload["name"] in (*entry.added, *entry.removed)  # it may have asked for both in one turn
        else:
            assert (entry.id, ids.count(ref)) == (ref, 1), "an operation was acknowledged and is not there once"


def _is_quiet(client: LogClient, newest: int) -> bool:
    return client.position == newest and client.next_request() is None
