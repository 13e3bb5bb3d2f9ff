"""The addresses of the endpoints of rooms."""

from typing import Any

from chatter.messages import SLUG
from web.channels.endpoint import Endpoint
from web.channels.rate_limits import AddressLimiter
from web.http.accounts.handler import Limiters, Ways
from web.http.api import shared_rooms
from web.http.rooms.audit import AuditHandler
from web.http.rooms.direct import DirectHandler
from web.http.rooms.handler import RoomHandler, RoomServices
from web.http.rooms.join import JoinHandler, LookHandler
from web.http.rooms.links import RoomLinkHandler, RoomLinksHandler
from web.http.rooms.members import MembersHandler
from web.http.rooms.room import OneRoomHandler
from web.http.rooms.rooms import RoomsHandler

_ROOM = rf"/api/rooms/({SLUG.pattern})"

ROUTES: list[tuple[str, type[RoomHandler]]] = [
    (r"/api/rooms", RoomsHandler),
    (_ROOM, OneRoomHandler),
    (rf"{_ROOM}/members", MembersHandler),
    (rf"{_ROOM}/links", RoomLinksHandler),
    (rf"{_ROOM}/links/([1-9][0-9]{{0,17}})", RoomLinkHandler),
    (r"/api/direct", DirectHandler),
    (r"/api/join", JoinHandler),
    (r"/api/join/([^/]{1,64})", LookHandler),
    (r"/api/audit", AuditHandler),
]


def room_routes(
    endpoint: Endpoint, limiters: Limiters, ways: Ways, identity: str
) -> list[tuple[str, type[RoomHandler], dict[str, Any]]]:
    """Returns the handlers of these addresses, for the Tornado application. `identity` is the database's."""
    settings = endpoint.settings
    founding, codes = AddressLimiter(settings.founding_rate), AddressLimiter(settings.code_rate)
    services = RoomServices(shared_rooms(endpoint), founding, codes, identity)
    shared = {"endpoint": endpoint, "limiters": limiters, "ways": ways, "rooms": services}
    return [(path, handler, shared) for path, handler in ROUTES]
