"""Which worker gets which file of tests: those with a browser compute, while many of the others wait."""

from xdist.scheduler.loadfile import LoadFileScheduling
from xdist.workermanage import WorkerController

BROWSER = "tests/client/"


class MixedFiles(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Gives every third worker files with a browser, and the others the rest, as long as there are both.

    So the processor has something to do at all times, and few browsers are in memory at once.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        wants_browser = self.nodes.index(node) % 3 == 0
        wanted = next((file for file in self.workqueue if file.startswith(BROWSER) == wants_browser), None)
        if wanted is not None:
            self.workqueue.move_to_end(wanted, last=False)
        super()._assign_work_unit(node)
