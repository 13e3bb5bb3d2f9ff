"""The Python client of PyPI's `phoenix-channels-python-client`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from phoenix_channels_python_client import (  # type: ignore[import-untyped]
    PhoenixChannelsProtocolVersion,
    PHXChannelsClient,
    ReconnectPolicy,
)
from phoenix_channels_python_client.phx_messages import ChannelMessage, Event  # type: ignore[import-untyped]
from phoenix_channels_python_client.utils import make_message  # type: ignore[import-untyped]

from tests.support.server import Server

LOBBY = "chat_room:lobby"
PATIENCE = 60.0
IMPATIENT = ReconnectPolicy(
    base_delay_s=0.05, service_restart_min_delay_s=0, service_restart_max_delay_s=0.1, rapid_disconnect_uptime_s=0
)
V1, V2 = PhoenixChannelsProtocolVersion.V1, PhoenixChannelsProtocolVersion.V2


class Guest:
    """A client in the lobby that keeps what it hears."""

    def __init__(self, client: PHXChannelsClient) -> None:
        self._client = client
        self._heard: asyncio.Queue[ChannelMessage] = asyncio.Queue()
        self._refs = 0

    async def join(self) -> None:
        await self._client.subscribe_to_topic(LOBBY, self._heard.put)

    async def post(self, name: str, message: str) -> None:
        """Say something. Version 2 wants the join_ref that the client keeps to itself: null stands for it."""
        self._refs += 1
        frame = make_message(Event("new_message"), LOBBY, f"post-{self._refs}", {"name": name, "message": message})
        assert self._client.connection is not None
        await self._client.get_protocol_handler().send_message(self._client.connection, frame)

    async def next(self, wanted: Callable[[ChannelMessage], bool]) -> ChannelMessage:
        """The next that is wanted; what comes before it is skipped."""
        async with asyncio.timeout(PATIENCE):
            while True:
                heard = await self._heard.get()
                if wanted(heard):
                    return heard


@asynccontextmanager
async def guest(server: Server, version: PhoenixChannelsProtocolVersion) -> AsyncIterator[Guest]:
    url = f"ws://127.0.0.1:{server.port}/socket/websocket"
    async with PHXChannelsClient(url, api_key="any", protocol_version=version, reconnect_policy=IMPATIENT) as client:
        yield Guest(client)


def said(message: ChannelMessage) -> bool:
    return str(message.event) == "new_message"


def answered(message: ChannelMessage) -> bool:
    return str(message.event) == "phx_reply"


@pytest.mark.parametrize("version", [V1, V2])
def test_it_joins_the_lobby_and_its_post_is_answered(server: Server, version: PhoenixChannelsProtocolVersion) -> None:
    async def talk() -> None:
        async with guest(server, version) as ann:
            await ann.join()
            await ann.post("ann", "hello")
            answer = await ann.next(answered)
            assert answer.payload["status"] == "ok"
            assert answer.payload["response"]["seq"] == 1

    asyncio.run(talk())


def test_what_one_says_the_other_hears(server: Server) -> None:
    """In version 1. With version 2 this client drops frames whose join_ref is null, which all broadcasts are."""

    async def talk() -> None:
        async with guest(server, V1) as ann, guest(server, V1) as bo:
            await ann.join()
            await bo.join()
            await ann.post("ann", "hello")
            for each in (ann, bo):
                heard = await each.next(said)
                assert (heard.payload["name"], heard.payload["message"]) == ("ann", "hello")

    asyncio.run(talk())


@pytest.mark.parametrize("version", [V1, V2])
def test_one_who_joins_later_hears_what_was_said(server: Server, version: PhoenixChannelsProtocolVersion) -> None:
    async def talk() -> None:
        async with guest(server, version) as ann, guest(server, version) as bo:
            await ann.join()
            await ann.post("ann", "hello")
            await ann.next(answered)
            await bo.join()
            assert (await bo.next(said)).payload["message"] == "hello"

    asyncio.run(talk())


def test_it_comes_back_by_itself_when_the_server_is_started_anew(server: Server) -> None:
    async def talk() -> None:
        async with guest(server, V1) as ann:
            await ann.join()
            await ann.post("ann", "before")
            await ann.next(said)
            server.stop()
            server.start()
            assert (await ann.next(said)).payload["message"] == "before"

    asyncio.run(talk())
