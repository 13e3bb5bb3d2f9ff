"""Lists all scenarios, in the order of the tables."""

from bench.scenario import Scenario
from bench.scenarios import (
    big_room,
    connection_storm,
    idle_connections,
    late_joiners,
    my_rooms,
    noisy_neighbour,
    one_message,
    operations,
    room_churn,
    scaling,
    signed_in,
    small_rooms,
    startup,
)

_MODULES = (
    big_room,
    small_rooms,
    one_message,
    connection_storm,
    idle_connections,
    noisy_neighbour,
    room_churn,
    late_joiners,
    scaling,
    startup,
    operations,
    my_rooms,
    signed_in,
)

SCENARIOS: dict[str, Scenario] = {module.SCENARIO.letter: module.SCENARIO for module in _MODULES}
