"""A server on which anybody may create an account, and three who have one."""

from collections.abc import Iterator

import pytest

from tests.client.my_rooms.members import Member
from tests.support.server import Server


@pytest.fixture(scope="package")
def server(open_server: Server) -> Server:
    return open_server


@pytest.fixture
def ann(server: Server) -> Iterator[Member]:
    member = Member(server, "ann")
    yield member
    member.closes()


@pytest.fixture
def bo(server: Server) -> Iterator[Member]:
    member = Member(server, "bo")
    yield member
    member.closes()


@pytest.fixture
def cy(server: Server) -> Iterator[Member]:
    member = Member(server, "cy")
    yield member
    member.closes()
