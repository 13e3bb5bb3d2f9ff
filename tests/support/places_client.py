"""A client that counts places and knows no other entries than messages. It knows no socket."""

from tests.support.log_client import Payload, Request


class PlacesClient:
    """PlacesClient is what such a client holds of one room: texts by place, None for a void one."""

    def __init__(self, page_size: int) -> None:
        self.held: dict[int, str | None] = {}
        self.since: int | None = None  # the highest place without a gap below it
        self.epoch: int | None = None
        self._page_size = page_size
        self._must_sync = self._has_more = False

    @property
    def join_params(self) -> Payload:
        """The parameters of a join."""
        return {} if self.since is None else {"since": self.since, "epoch": self.epoch}

    def next_request(self) -> Request | None:
        """Returns what has to be asked now, while nothing is asked."""
        if self._has_more and self.since is not None:
            return "history", {"after": self.since, "limit": self._page_size}
        return ("sync", self.join_params) if self._must_sync and self.since is not None else None

    def joined(self, answer: Payload) -> None:
        """Applies the answer to a join or a `sync`; what was missed comes after it."""
        self._must_sync, self._has_more = False, answer["more"]
        if not answer["recovered"]:
            self.held.clear()
            self.since = None
        elif self.since is not None and answer["epoch"] != self.epoch:
            self.held = {seq: text for seq, text in self.held.items() if seq <= answer["base"]}
            self.since = min(self.since, answer["base"])
        if self.since is None and answer["seq"] == 0:
            self.since = 0
        self.epoch = answer["epoch"]

    def hear(self, event: str, payload: Payload) -> None:
        """Applies an event that was pushed."""
        if event == "message_voided":
            if payload["seq"] in self.held:
                self.held[payload["seq"]] = None
        elif event == "resync":
            self._must_sync = True
        else:
            assert event == "new_message", event
            self._add(payload)
            self._must_sync |= payload["seq"] > (self.since or 0) and not self._has_more

    def answered(self, request: Request, answer: Payload) -> None:
        """Applies the answer to a request."""
        if request[0] == "sync":
            self.joined(answer)
            return
        for message in answer["messages"]:
            self._add(message)
        self._has_more = answer["more"]

    def _add(self, message: Payload) -> None:
        seq = message["seq"]
        if self.since is None:
            self.since = seq - 1
        text = None if message.get("void") else message["message"]
        if self.held.setdefault(seq, text) is None:
            assert text is None, "a void place has a message"
        while self.since + 1 in self.held:
            self.since += 1
