"""Nobody gets a port of the tests that somebody else has, or will have."""

import socket

from tests.support.ports import free_port


class _Owner:
    """Owner is a program that has a port."""


def test_no_port_is_given_twice_also_while_nobody_listens() -> None:
    owners = [_Owner() for _ in range(500)]
    assert len({free_port(each) for each in owners}) == len(owners)


def test_a_program_listens_on_its_port_and_does_so_again() -> None:
    port = free_port()
    for _ in range(2):
        with socket.create_server(("127.0.0.1", port)):
            pass
