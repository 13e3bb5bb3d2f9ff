"""Serves rooms with websockets, written as its documentation shows broadcasting.

`broadcast()` sends to the set of a room's connections.
"""

import asyncio
import json
import sys
from collections import defaultdict

from saver import Saver
from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed

rooms = defaultdict(set)
saver = Saver(sys.argv[2])


async def chat(websocket):
    topics = set()
    try:
        async for text in websocket:
            join_ref, ref, topic, event, payload = json.loads(text)
            if event == "phx_join":
                rooms[topic].add(websocket)
                topics.add(topic)
            elif event == "new_message":
                message = {"name": payload["name"], "message": payload["message"]}
                broadcast(rooms[topic], json.dumps([None, None, topic, "new_message", message]))
                await saver.save(topic, payload["name"], payload["message"])
            await websocket.send(json.dumps([join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}]))
    except ConnectionClosed:
        pass
    finally:
        for topic in topics:
            rooms[topic].discard(websocket)


async def main():
    # No server pings, since clients send heartbeats. Clients offer no extension, so nothing is compressed.
    async with serve(chat, "127.0.0.1", int(sys.argv[1]), ping_interval=None) as server:
        await server.serve_forever()


asyncio.run(main())
