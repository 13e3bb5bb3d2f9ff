"""The edge of Chatter: the wire, its transports, the pages, and the command line."""
