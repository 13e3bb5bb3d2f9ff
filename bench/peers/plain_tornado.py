"""Serves rooms with Tornado, written as its documentation shows a chat.

`write_message` sends to each connection of a room.
"""

import asyncio
import json
import sys
from collections import defaultdict

import tornado.web
import tornado.websocket
from saver import Saver

rooms = defaultdict(set)


class ChatHandler(tornado.websocket.WebSocketHandler):
    def initialize(self, saver):
        self.saver = saver
        self.topics = set()

    async def on_message(self, text):
        join_ref, ref, topic, event, payload = json.loads(text)
        if event == "phx_join":
            rooms[topic].add(self)
            self.topics.add(topic)
        elif event == "new_message":
            frame = json.dumps(
                [None, None, topic, "new_message", {"name": payload["name"], "message": payload["message"]}]
            )
            for member in list(rooms[topic]):
                try:
                    member.write_message(frame)
                except tornado.websocket.WebSocketClosedError:
                    pass
            await self.saver.save(topic, payload["name"], payload["message"])
        try:
            self.write_message(json.dumps([join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}]))
        except tornado.websocket.WebSocketClosedError:
            pass

    def on_close(self):
        for topic in self.topics:
            rooms[topic].discard(self)


async def main():
    application = tornado.web.Application([(r"/socket/websocket", ChatHandler, {"saver": Saver(sys.argv[2])})])
    application.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
