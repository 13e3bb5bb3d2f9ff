"""The clock, and its ISO format."""

from datetime import UTC, datetime

import pytest

from chatter.clock import SECOND, to_iso, wall_clock


@pytest.mark.parametrize("moment", [0, 999, 1_000, 123_456_789, SECOND - 1, SECOND, 1_777_896_000 * SECOND + 5_000])
def test_a_moment_is_formatted_as_iso_8601_in_utc_with_microseconds(moment: int) -> None:
    text = to_iso(moment)
    assert len(text) == 27
    seconds, microseconds = divmod(moment // 1_000, 1_000_000)
    expected = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    assert datetime.fromisoformat(text) == expected
    assert text == expected.isoformat(timespec="microseconds").replace("+00:00", "Z")


def test_the_wall_clock_agrees_with_the_system() -> None:
    assert abs(wall_clock() / SECOND - datetime.now(UTC).timestamp()) < 60
