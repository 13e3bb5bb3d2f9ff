"""Serves rooms with socketify, Python bindings of uWebSockets (C++).

Written as its documentation shows a chat: `subscribe` and `publish`.
"""

import json
import sqlite3
import sys

from socketify import App, AppListenOptions, OpCode

database = sqlite3.connect(sys.argv[2])
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = NORMAL")
database.execute("CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, topic TEXT, name TEXT, message TEXT)")

app = App()


def on_message(ws, text, _opcode):
    join_ref, ref, topic, event, payload = json.loads(text)
    if event == "phx_join":
        ws.subscribe(topic)
    elif event == "new_message":
        message = {"name": payload["name"], "message": payload["message"]}
        app.publish(topic, json.dumps([None, None, topic, "new_message", message]), OpCode.TEXT)
        with database:
            database.execute(
                "INSERT INTO message (topic, name, message) VALUES (?, ?, ?)",
                (topic, payload["name"], payload["message"]),
            )
    ws.send(json.dumps([join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}]), OpCode.TEXT)


app.ws(
    "/socket/websocket",
    {
        "compression": 0,
        "max_payload_length": 64 * 1024,
        "idle_timeout": 120,
        "max_backpressure": 16 * 1024 * 1024,
        "message": on_message,
    },
)
app.listen(AppListenOptions(port=int(sys.argv[1]), host="127.0.0.1"), lambda _config: None)
app.run()
