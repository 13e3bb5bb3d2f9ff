"""Phoenix Channels without a connection: the wire, requests, sockets, channels, rate limits."""
