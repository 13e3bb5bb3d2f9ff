"""A socket on a stage: its transport, its rooms and the rest of the server only remember what they were told."""

import json
from collections.abc import Mapping
from typing import Any, Self, cast

from chatter.accounts.accounts import Accounts
from chatter.charter import Author
from chatter.memberships.memberships import Memberships
from chatter.messages import RoomRef
from chatter.room.supervisor import Supervisor
from chatter.storage.read_queue import ReadQueue
from tests.support.accounts import AccountsOnStage
from tests.support.stage import Recorder, Stage
from web.channels.endpoint import Endpoint
from web.channels.socket import Socket
from web.channels.wire import V2_LONGPOLL, Serializer
from web.identity.credentials import Credentials
from web.io.rfc6455 import CloseCode
from web.settings import Settings


class SocketOnStage:
    """A socket. Plays its `Transport`, and the supervisor of its rooms."""

    serializer: Serializer = V2_LONGPOLL  # a line for each frame
    has_unsent = False

    def __init__(
        self,
        stage: Stage,
        authorize: Any = lambda _slug, _params: True,
        params: Mapping[str, str] | None = None,
        accounts: AccountsOnStage | None = None,
        secret: str | None = None,
        beside: "SocketOnStage | None" = None,
        memberships: Memberships | None = None,
        **settings: Any,
    ) -> None:
        """`secret` is what its handshake has shown. It shares the server of the one that it is `beside`."""
        self.stage = stage
        self.told: list[Any] = []  # what rooms were told
        self.rooms: dict[str, RoomRef] = {}
        self.refreshed: list[Author] = []  # accounts for which rooms have to look at names anew
        self.closed_with: list[CloseCode] = []
        self._written: list[bytes] = []

        async def make() -> tuple[Endpoint, Socket]:
            supervisor, history = cast(Supervisor, self), cast(ReadQueue, Recorder.start([]))
            endpoint = (
                beside.endpoint
                if beside
                else Endpoint(
                    Settings(**settings),
                    supervisor,
                    history,
                    authorize,
                    is_local=True,
                    accounts=cast(Accounts | None, accounts),
                    memberships=memberships,
                )
            )
            credentials = None if secret is None else Credentials(secret)
            return endpoint, Socket(self, params or {}, endpoint, credentials)

        self.endpoint, self.socket = stage.run(make())

    def says(self, *frames: str) -> None:
        """The client sends these in one packet; everything that follows from that happens."""
        for frame in frames:
            self.stage.call(self.socket.receive, V2_LONGPOLL.decode(frame.encode()))
        self.stage.run_turns()

    def asks_to_join(self, room: str = "lobby", ref: str = "1", **params: Any) -> None:
        self.says(f'["{ref}","{ref}","chat_room:{room}","phx_join",{json.dumps(params)}]')

    def hangs_up(self) -> None:
        self.stage.call(self.socket.on_closed)
        self.stage.run_turns()

    @property
    def heard(self) -> list[Any]:
        """The frames that were written since this was read last."""
        frames, self._written = b"".join(self._written).decode().splitlines(), []
        return [json.loads(frame) for frame in frames]

    @property
    def joined(self) -> list[str]:
        """The references of the joins that rooms were told of, in their order."""
        return [json.loads(message.subscriber._ref) for message in self.told if type(message).__name__ == "Join"]

    # ------------------------------------------------------------ `Transport`

    takes_frames = True

    @property
    def writer(self) -> Self:
        return self

    def write(self, frames: bytes) -> None:
        self._written.append(frames)

    def close(self, code: CloseCode) -> None:
        self.closed_with.append(code)
        self.socket.on_closed()

    # ------------------------------------------------------------ `Supervisor`

    def refresh_names(self, account: Author, _name: str) -> None:
        self.refreshed.append(account)

    def ensure_room(self, slug: str) -> RoomRef:
        if slug not in self.rooms:
            self.rooms[slug] = Recorder.start(self.told)
        return self.rooms[slug]

    def on_called(self, author: Author, name: str) -> None:
        self.told.append((author, name))
