"""The address of the page, as far as the server can know it, and links to it that carry a secret."""


def page_address(public_url: str, public_hosts: frozenset[str], listening: str) -> str:
    """Returns the address that people open: the public one, the first public host's, or where the server listens."""
    if public_url:
        return public_url
    host = min(public_hosts, default="")
    if not host:
        return listening
    return host if "://" in host else f"https://{host}"


def page_link(address: str, kind: str, secret: str) -> str:
    """Returns a link to the page at `address` with a secret in its fragment, which browsers send to nobody."""
    return f"{address}/#{kind}={secret}"
