"""Rooms: who listens, what is said, who is present, what a subscriber missed."""
