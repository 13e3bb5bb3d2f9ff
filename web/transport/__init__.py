"""Connections: the listener, the handshake, websockets, long polling."""
