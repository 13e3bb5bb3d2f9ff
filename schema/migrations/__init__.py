"""One file a step, applied in the order of their numbers by `schema.database.migrate`."""
