"""Lanes: the rooms of a cluster's lanes on one node, between the shared log and the database."""
