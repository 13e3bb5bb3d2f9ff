"""Serves rooms with Starlette on uvicorn, uvloop and httptools.

A websocket endpoint sends to the set of connections of each room.
"""

import json
import sys
from collections import defaultdict

import uvicorn
from saver import Saver
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

rooms = defaultdict(set)
saver = Saver(sys.argv[2])


async def chat(websocket):
    await websocket.accept()
    topics = set()
    try:
        while True:
            join_ref, ref, topic, event, payload = json.loads(await websocket.receive_text())
            if event == "phx_join":
                rooms[topic].add(websocket)
                topics.add(topic)
            elif event == "new_message":
                message = {"name": payload["name"], "message": payload["message"]}
                await broadcast(topic, json.dumps([None, None, topic, "new_message", message]))
                await saver.save(topic, payload["name"], payload["message"])
            await websocket.send_text(json.dumps([join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}]))
    except WebSocketDisconnect:
        pass
    finally:
        for topic in topics:
            rooms[topic].discard(websocket)


async def broadcast(topic, text):
    for member in list(rooms[topic]):
        try:
            await member.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            rooms[topic].discard(member)


app = Starlette(routes=[WebSocketRoute("/socket/websocket", chat)])

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="websockets",
        ws_ping_interval=None,  # no server pings, since clients send heartbeats
        ws_per_message_deflate=False,
        log_level="warning",
    )
