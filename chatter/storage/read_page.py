"""Reads one page of a room's history from the database."""

from chatter.messages import Entry, LoadPage, MembersChanged, Page, ReadHistory, RoomChanged
from chatter.storage.authors import entries_of, log_of, messages_of
from chatter.storage.pages import as_places, between, centred, end_of_changes, filled
from schema import Entry as EntryTable
from schema import timeline
from schema.purge import MOST_PLACES


def read_page(asked: LoadPage) -> Page:
    """Returns the page that is asked for, with the messages that the room holds at its end."""
    request, slug = asked.request, asked.slug
    if request.seqs:
        return Page(messages_of(timeline.at(slug, request.seqs)), more=False)
    if request.is_pinned:
        found = messages_of(timeline.pinned(slug, request.limit + 1, request.before))
        return Page(found[: request.limit], more=len(found) > request.limit)
    if request.is_of_room:
        return _events(asked)
    if request.root is not None:
        return _thread(slug, request.root, request)
    if request.is_of_changes:
        return _changes(slug, request.after or 0, request.limit)
    if request.after is not None:
        return _places_after(asked, request.after)
    if request.around is not None:
        return _around(asked, request.around)
    return _before(asked)


def entries_after(slug: str, seq: int, limit: int) -> tuple[Entry, ...]:
    """Returns up to `limit` entries that are newer than `seq`, messages as they are now. A missing row is void."""
    rows = timeline.entries_after(slug, seq, limit)
    if not rows:
        return ()
    end = min(seq + limit, rows[-1].entry.seq) + 1
    return tuple(filled(log_of(rows), seq + 1, end))


def _before(asked: LoadPage) -> Page:
    request, held = asked.request, asked.held
    end = min(request.before or asked.newest + 1, asked.newest + 1)
    wanted = request.limit - len(held)
    found = messages_of(timeline.before(asked.slug, held[0].seq if held else end, wanted + 1))
    return Page((*found[-wanted:], *held), more=len(found) > wanted)


def _around(asked: LoadPage, seq: int) -> Page:
    limit, held = asked.request.limit, asked.held
    end = held[0].seq if held else asked.newest + 1
    older = messages_of(timeline.before(asked.slug, min(seq, end), limit + 1))
    newer = [each for each in messages_of(timeline.since(asked.slug, seq, limit)) if each.seq < end]
    older += (each for each in held if each.seq < seq)
    newer += (each for each in held if each.seq >= seq)
    page = centred(older[-limit - 1 :], newer, limit)
    return Page(page, more=bool(older) and (not page or older[0].seq < page[0].seq))


def _places_after(asked: LoadPage, seq: int) -> Page:
    found = entries_after(asked.slug, seq, asked.request.limit)
    places = as_places(found)
    return Page(places, more=bool(places) and places[-1].seq < asked.newest)


def _changes(slug: str, seq: int, limit: int) -> Page:
    found = messages_of(timeline.changed_after(slug, seq, limit + MOST_PLACES + 1))
    page = found[: end_of_changes(found, limit)]
    return Page(page, more=len(page) < len(found))


def _events(asked: LoadPage) -> Page:
    after, before = between(asked.request, asked.newest)
    found = entries_of(EntryTable.about_room(asked.slug, after, before, asked.request.limit + 1))
    events = [each for each in found if isinstance(each, MembersChanged | RoomChanged)]
    return Page((), more=False, events=events)


def _thread(slug: str, root: int, request: ReadHistory) -> Page:
    """Returns replies, and the first message of the thread where they begin with the first reply."""
    limit = request.limit
    if request.after is None:
        end = request.before or 2**63 - 1
        found = messages_of(timeline.thread_before(slug, root, end, limit + 1))
        page, more = found[-limit:], len(found) > limit
    else:
        found = messages_of(timeline.thread(slug, root, after=request.after, limit=limit + 1))
        page, more = found[:limit], len(found) > limit
    first = messages_of(timeline.at(slug, [root])) if request.after is None and not more else ()
    return Page((*first, *page), more)
