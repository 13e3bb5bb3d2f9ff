"""A server on which anybody may create an account, and people who have one."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tests.client.conftest import Visit
from tests.client.person import Person
from tests.client.sessions import new_account, sign_in
from tests.support.server import Server

SignIn: TypeAlias = Callable[..., Person]


@pytest.fixture(scope="package")
def server(open_server: Server) -> Server:
    return open_server


@pytest.fixture
def handle(server: Server) -> str:
    """An account of somebody called like its handle."""
    return new_account(server)


@pytest.fixture
def signs_in(visit: Visit, server: Server, handle: str) -> SignIn:
    """`signs_in()` opens a page in a new browser, signed in with the account, where it has been before."""

    def signs_in(**options: Any) -> Person:
        return visit(session=sign_in(server, handle), **options)

    return signs_in
