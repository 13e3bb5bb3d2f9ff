"""Starlette on uvicorn with uvloop and httptools: a websocket endpoint and a set of connections for each room."""

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
                said = {"name": payload["name"], "message": payload["message"]}
                await tell(topic, json.dumps([None, None, topic, "new_message", said]))
                await saver.save(topic, payload["name"], payload["message"])
            await websocket.send_text(json.dumps([join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}]))
    except WebSocketDisconnect:
        pass
    finally:
        for topic in topics:
            rooms[topic].discard(websocket)


async def tell(topic, text):
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
        ws_ping_interval=None,  # clients send heartbeats; no server here pings besides
        ws_per_message_deflate=False,
        log_level="warning",
    )
