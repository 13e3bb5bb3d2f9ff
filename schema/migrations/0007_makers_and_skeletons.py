"""Notes who has made a link, and by which rules the skeletons of an account were made."""

from typing import Any

import peewee


def up(_migrator: Any, db: peewee.Database) -> None:
    """Adds the columns. Links that are there are nobody's, and skeletons are made anew at the next start."""
    db.execute_sql("ALTER TABLE secret ADD COLUMN maker integer")
    db.execute_sql("ALTER TABLE account ADD COLUMN skeleton_version integer")
