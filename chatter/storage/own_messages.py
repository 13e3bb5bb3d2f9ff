"""Reads what an account has said, a page at a time: room after room, and each from its beginning."""

from chatter.messages import LoadOwn, OwnPage
from chatter.storage.authors import messages_of
from schema import timeline, traces

PAGE = 250
"""Most messages of a page."""


def read_own_page(asked: LoadOwn) -> OwnPage:
    """Returns the page that is asked for. Where the account has said nothing for long it is empty."""
    found = traces.next_room(asked.room - 1 if asked.room else 0)
    if found is None:
        return OwnPage("", (), None)
    room, slug, last = found
    after = asked.after if room == asked.room else 0
    places = traces.own_messages(room, asked.account, after, PAGE)  # no more: each page would look through them
    page = messages_of(timeline.at(slug, places))
    end = places[-1] if len(places) == PAGE else after + traces.WINDOW
    following = LoadOwn(asked.account, room, end) if end < last else LoadOwn(asked.account, room + 1)
    return OwnPage(slug, page, following)
