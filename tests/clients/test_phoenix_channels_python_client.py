"""PyPI's `phoenix-channels-python-client`, in both versions of the protocol."""

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
TIMEOUT = 60.0
RECONNECT = ReconnectPolicy(
    base_delay_s=0.05, service_restart_min_delay_s=0, service_restart_max_delay_s=0.1, rapid_disconnect_uptime_s=0
)
V1, V2 = PhoenixChannelsProtocolVersion.V1, PhoenixChannelsProtocolVersion.V2


class Guest:
    """Guest is a client that queues the frames of the lobby."""

    def __init__(self, client: PHXChannelsClient) -> None:
        self._client = client
        self._heard: asyncio.Queue[ChannelMessage] = asyncio.Queue()
        self._refs = 0

    async def join(self) -> None:
        await self._client.subscribe_to_topic(LOBBY, self._heard.put)

    async def post(self, name: str, message: str) -> None:
        """Posts a message. The client hides its join_ref, which version 2 sends: the frame has null."""
        self._refs += 1
        frame = make_message(Event("new_message"), LOBBY, f"post-{self._refs}", {"name": name, "message": message})
        assert self._client.connection is not None
        await self._client.get_protocol_handler().send_message(self._client.connection, frame)

    async def wait_for(self, is_wanted: Callable[[ChannelMessage], bool]) -> ChannelMessage:
        """Returns the next frame that is wanted. Drops those before it."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                heard = await self._heard.get()
                if is_wanted(heard):
                    return heard


@asynccontextmanager
async def guest(server: Server, version: PhoenixChannelsProtocolVersion) -> AsyncIterator[Guest]:
    url = f"ws://127.0.0.1:{server.port}/socket/websocket"
    async with PHXChannelsClient(url, api_key="any", protocol_version=version, reconnect_policy=RECONNECT) as client:
        yield Guest(client)


def is_post(message: ChannelMessage) -> bool:
    return str(message.event) == "new_message"


def is_answer(message: ChannelMessage) -> bool:
    return str(message.event) == "phx_reply"


@pytest.mark.parametrize("version", [V1, V2])
def test_a_client_joins_the_lobby_and_its_post_is_answered(
    server: Server, version: PhoenixChannelsProtocolVersion
) -> None:
    async def talk() -> None:
        async with guest(server, version) as ann:
            await ann.join()
            await ann.post("ann", "hello")
            answer = await ann.wait_for(is_answer)
            assert answer.payload["status"] == "ok"
            assert answer.payload["response"]["seq"] == 1

    asyncio.run(talk())


def test_two_clients_hear_each_post(server: Server) -> None:
    """Uses version 1: in version 2 this client drops broadcasts (join_ref is null)."""

    async def talk() -> None:
        async with guest(server, V1) as ann, guest(server, V1) as bo:
            await ann.join()
            await bo.join()
            await ann.post("ann", "hello")
            for each in (ann, bo):
                heard = await each.wait_for(is_post)
                assert (heard.payload["name"], heard.payload["message"]) == ("ann", "hello")

    asyncio.run(talk())


@pytest.mark.parametrize("version", [V1, V2])
def test_a_later_join_gets_the_earlier_messages(server: Server, version: PhoenixChannelsProtocolVersion) -> None:
    async def talk() -> None:
        async with guest(server, version) as ann, guest(server, version) as bo:
            await ann.join()
            await ann.post("ann", "hello")
            await ann.wait_for(is_answer)
            await bo.join()
            assert (await bo.wait_for(is_post)).payload["message"] == "hello"

    asyncio.run(talk())


def test_a_client_reconnects_by_itself_after_a_restart(server: Server) -> None:
    async def talk() -> None:
        async with guest(server, V1) as ann:
            await ann.join()
            await ann.post("ann", "before")
            await ann.wait_for(is_post)
            server.stop()
            server.start()
            assert (await ann.wait_for(is_post)).payload["message"] == "before"

    asyncio.run(talk())
