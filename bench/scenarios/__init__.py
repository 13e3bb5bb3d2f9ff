"""Everything that is measured, in the order in which it is shown."""

from bench.scenario import Scenario
from bench.scenarios import big_room, giant, growth, idle, late_joiners, one_message, rooms, small_rooms, start, storm

_MODULES = (big_room, small_rooms, one_message, storm, idle, giant, rooms, late_joiners, growth, start)

SCENARIOS: dict[str, Scenario] = {module.SCENARIO.letter: module.SCENARIO for module in _MODULES}
