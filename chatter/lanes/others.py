"""The other nodes, as the rooms of this one have to do with them beside the log: nothing of this is saved."""

from collections.abc import Callable
from functools import partial

from chatter.actors import tell_if_alive
from chatter.cluster.notices import Notices
from chatter.cluster.questions import Questions
from chatter.lanes import overheard
from chatter.lanes.people import People
from chatter.messages import Overheard, PeopleMoved, Relayed, RoomRef, StartedTyping


class Others:
    """Tells other nodes what rooms broadcast here and who is in them, and rooms what others tell."""

    def __init__(self, notices: Notices, questions: Questions, find_room: Callable[[str], RoomRef | None]) -> None:
        self._notices = notices
        self._find_room = find_room
        self.people = People(
            tell=partial(notices.tell, "people"), ask=partial(questions.ask, "people"), on_moved=self._on_moved
        )
        notices.hear("event", self._on_event)
        notices.hear("people", self.people.hear)
        questions.answer("people", self._answer_people)

    def tell(self, slug: str, event: StartedTyping | Relayed) -> None:
        """Has the room's other nodes broadcast what is never saved."""
        self._notices.tell("event", overheard.encode(slug, event))

    def _on_event(self, _node: str, body: bytes) -> None:
        slug, event = overheard.decode(body)
        if (room := self._find_room(slug)) is not None:
            tell_if_alive(room, Overheard(event))

    async def _answer_people(self, body: bytes) -> bytes:
        return self.people.answer(body)

    def _on_moved(self, slug: str, moved: PeopleMoved) -> None:
        if (room := self._find_room(slug)) is not None:
            tell_if_alive(room, moved)
