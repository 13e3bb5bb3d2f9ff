"""Memberships: who is in which rooms, how far each has read, and what becomes of these rooms."""
