"""What an account has left in the logs is found, also where an entry is somebody else's."""

from schema import Database, Entry, EntryRow, Kind, traces

AT = "2026-05-04T12:00:00.000000Z"
ANN = 7


def test_a_reaction_is_found_in_an_entry_of_somebody_else(database: Database) -> None:
    rows = [
        EntryRow(1, "a", "bo", "hello", AT, author=8),
        EntryRow(2, "b", "cy", "", AT, Kind.REACT, target=1, data=reacted("9", "cy"), author=9),
        EntryRow(3, "c", "bo", "hi", AT, author=8),
        EntryRow(4, "d", "cy", "", AT, Kind.REACT, target=3, data=reacted("9", "cy", '[7,"ann"]'), author=9),
        EntryRow(5, "e", "bo", "ho", AT, author=8),
        EntryRow(6, "f", "cy", "", AT, Kind.REACT, target=5, data=reacted("9", "cy", '[7,""]'), author=9),
        EntryRow(7, "g", "bo", "", AT, Kind.MEMBER, data='{"change":"added","members":[[7,"ann","Ann"]]}', author=8),
    ]
    Entry.save_all([("lobby", 1, rows)])
    found = traces.traces(1, ANN, 0)
    assert (found.own, found.touched, found.in_room) == (set(), {3}, [7])
    traces.unname(1, ANN, found.in_room)
    assert traces.traces(1, ANN, 0).in_room == []


def reacted(account: str, handle: str, *more: str) -> str:
    people = ",".join([f'[{account},"{handle}"]', *more])
    return f'{{"key":"👍","add":[{people}],"remove":[],"reactions":{{"👍":{{"count":1,"names":["@cy"]}}}}}}'
