"""Identity at the edge: what a request carries to say who it is, and whose it is."""
