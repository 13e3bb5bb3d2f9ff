"""The migrations, one file each. `schema.database.migrate` applies them in the order of their numbers."""
