"""The actors of Chatter: rooms, their supervisor, persistence, history and presence."""

__version__ = "0.1.0"
