"""`/api/rooms`: which rooms there are for whoever asks, and new ones."""

import math
import re
import unicodedata
from http import HTTPStatus
from typing import Any, Literal, TypeAlias, cast, get_args

from tornado.web import HTTPError

from chatter.accounts.principal import NOBODY, Principal
from chatter.accounts.values import AccountRefused
from chatter.charter import RoomKind, is_private_slug, new_slug
from chatter.messages import SLUG, Found, RoomListed
from web.channels.fields import InvalidPayload
from web.channels.room_asker import REF
from web.channels.room_requests import handles_of, rules_of, title_of, topic_of
from web.http.accounts.bodies import Body, optional_text, text
from web.http.accounts.handler import Refusal
from web.http.api import Listing
from web.http.rooms.handler import RoomHandler, RoomRefused, refusing

NewKind: TypeAlias = Literal["public", "private", "group"]
"""What kinds of rooms are made by their title; direct ones are by their people."""


class RoomsHandler(RoomHandler):
    """`GET`; `POST {kind, title, slug?, topic?, settings?, members?}`."""

    def prepare(self) -> None:
        """Lets anybody read the list as often as they like, also on a server without accounts."""
        if not self._reads:
            super().prepare()
            return
        self._asked = {name.lower(): self.request.headers.get_list(name) for name in self.request.headers}
        if not self._endpoint.knows_host(self._asked):  # tells pages of foreign names (DNS rebinding) nothing
            raise HTTPError(HTTPStatus.FORBIDDEN)

    async def get(self) -> None:
        """Answers the rooms that the asker may know of, the last spoken in first."""
        try:
            principal = await self._lister()
            own = await self._own_rooms(principal)
        except AccountRefused as error:
            self._refuse_for_now(error)
            return
        except Refusal as refusal:
            status = HTTPStatus.FORBIDDEN if refusal.reason == "forbidden" else HTTPStatus.UNAUTHORIZED
            self.answer(status, {"reason": refusal.reason})
            return
        listed = await self._rooms.listed.get()
        if listed is None:
            self.answer(HTTPStatus.SERVICE_UNAVAILABLE, {"errors": {"detail": "the database does not answer"}})
        else:
            self.answer(HTTPStatus.OK, {"rooms": [*own, *self._public(listed, principal)]})

    head = get

    @refusing
    async def post(self) -> None:
        """Makes a room, and answers once that is committed."""
        principal, by = await self.founder()
        body = self.body("kind", "title", "slug", "topic", "settings", "members")
        kind = _kind(body)
        if kind == "public" and not self._endpoint.may_open_rooms(principal):
            raise Refusal("forbidden")
        settled = self._settled(body, kind)
        slug = _slug(body, settled["title"]) if kind == "public" else new_slug(kind)
        others = handles_of(body, "members") if body.get("members") else ()
        self.take_account_token(self._rooms.founding, by)
        _, *members = await self.people(by.author.handle, *(each for each in others if each != by.author.handle))
        try:
            await self.ask_room(
                slug, lambda asker: Found(asker, REF, None, by, kind, members=tuple(members), **settled)
            )
        except RoomRefused as error:
            is_taken = kind == "public" and error.answer.reason == "forbidden"
            raise Refusal("slug_taken") if is_taken else error from error
        self.answer(HTTPStatus.CREATED, {"slug": slug, "title": settled["title"], "kind": kind})

    def _settled(self, body: Body, kind: NewKind) -> dict[str, Any]:
        """Returns title, topic and rules. A group may do without a title: it is called by its people."""
        limits = self._endpoint.limits
        untitled = kind == "group" and not body.get("title")
        return {
            "title": "" if untitled else title_of(body, limits),
            "topic": topic_of(body, limits) if body.get("topic") else "",
            "rules": rules_of(body),
        }

    # ------------------------------------------------------------ the list

    async def _lister(self) -> Principal:
        credentials = self._endpoint.credentials_of(self._asked, reads=True)
        network = self._endpoint.network_of(str(self.request.remote_ip), self._asked)
        principal = await self._endpoint.identify_counted(credentials, network)
        decision = self._endpoint.rights.authorize(principal, None, "list")
        if principal is NOBODY or decision is not None:
            raise Refusal(decision or "unauthorized")
        return principal

    def _refuse_for_now(self, error: AccountRefused) -> None:
        if error.reason != "rate_limited" or error.retry_after_ms is None:
            self.answer(HTTPStatus.SERVICE_UNAVAILABLE, {"reason": error.reason})
            return
        self.set_header("Retry-After", math.ceil(error.retry_after_ms / 1_000))
        body = {"reason": error.reason, "retry_after_ms": error.retry_after_ms}
        self.answer(HTTPStatus.TOO_MANY_REQUESTS, body)

    async def _own_rooms(self, principal: Principal) -> list[dict[str, Any]]:
        """Returns the rooms of the asker that are not public: nobody else's answer has them."""
        memberships, author = self._endpoint.memberships, principal.author
        if memberships is None or author is None:
            return []
        rooms = [each.room for each in (await memberships.of(author.id)).values()]
        own = [room for room in rooms if room.kind != "public" and principal.reaches(room.slug)]
        return [
            self._row(RoomListed(each.slug, each.last_seq, each.last_nth, each.last_message_at, each.title), each.kind)
            for each in sorted(own, key=lambda room: room.last_message_at, reverse=True)
        ]

    def _public(self, listing: Listing, principal: Principal) -> list[dict[str, Any]]:
        is_guest = principal.author is None
        rooms = [room for room in listing.rooms if room.guests or not is_guest]
        people = self._endpoint.supervisor.people_counts
        rooms += [RoomListed(slug, 0, 0, "") for slug in listing.silent if slug in people]
        return [self._row(room, "public") for room in rooms if principal.reaches(room.slug)]

    def _row(self, room: RoomListed, kind: RoomKind) -> dict[str, Any]:
        return {
            "name": room.slug,
            "seq": room.seq,
            "nth": room.nth,
            "last_message_at": room.last_message_at or None,
            "people": self._endpoint.supervisor.people_counts.get(room.slug, 0),
            "kind": kind,
            "title": room.title,
        }


def _kind(body: Body) -> NewKind:
    kind = text(body, "kind")
    if kind not in get_args(NewKind):
        raise InvalidPayload("kind", f"expected one of {', '.join(get_args(NewKind))}")
    return cast(NewKind, kind)


def _slug(body: Body, title: str) -> str:
    """Returns the name of a public room: the one that is asked for, else one like its title."""
    slug = optional_text(body, "slug") or _slug_from(title)
    if not SLUG.fullmatch(slug) or is_private_slug(slug):
        raise InvalidPayload("slug", "expected 1 to 64 of a-z, 0-9, - and _, the first one a letter or digit")
    return slug


def _slug_from(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9_]+", "-", plain).strip("-_")[:64]
