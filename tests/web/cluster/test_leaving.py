"""Who leaves is gone from the files of all nodes."""

from pathlib import Path

from tests.support.cluster import Cluster
from tests.support.database import forbid
from tests.support.postgresql import PostgreSQL
from tests.support.server import wait_until
from tests.support.talker import Talker
from tests.web.accounts.conftest import PASSWORD, Browser

TEXT = "what the database refuses"


def test_what_was_refused_of_somebody_who_leaves_goes_on_all_nodes(tmp_path: Path, postgresql: PostgreSQL) -> None:
    def having_it() -> set[str]:
        return {path.parent.name for path in tmp_path.glob("*/*.dead-letters.jsonl") if TEXT in path.read_text()}

    with Cluster(tmp_path, postgresql.create_database(), sign_up="open", leave_days=0) as cluster:
        forbid(cluster.database_url, TEXT)
        ann = Browser(cluster.nodes["east"])
        ann.signs_up()
        with Talker(cluster.port("east"), headers=ann.headers) as talker:
            for number in range(16):  # in all lanes, so that each node writes some
                talker.join(f"room-{number}")
                talker.ask(f"room-{number}", "new_message", message=TEXT)
        wait_until(lambda: having_it() == {"east", "west"})
        assert ann.ask("DELETE", "/api/me", {"password": PASSWORD, "messages": "erase"}).status == 204
        wait_until(lambda: not having_it(), 90)
