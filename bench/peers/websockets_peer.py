"""websockets as its documentation shows broadcasting: broadcast() to the set of a room's connections."""

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
                said = {"name": payload["name"], "message": payload["message"]}
                broadcast(rooms[topic], json.dumps([None, None, topic, "new_message", said]))
                await saver.save(topic, payload["name"], payload["message"])
            await websocket.send(json.dumps([join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}]))
    except ConnectionClosed:
        pass
    finally:
        for topic in topics:
            rooms[topic].discard(websocket)


async def main():
    # Clients send heartbeats; no server here pings besides. No extension is offered by the clients either.
    async with serve(chat, "127.0.0.1", int(sys.argv[1]), ping_interval=None) as server:
        await server.serve_forever()


asyncio.run(main())
