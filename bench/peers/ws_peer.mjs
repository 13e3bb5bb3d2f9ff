// Serves rooms with Node's ws, written as its documentation shows a broadcast: send() to each open client.
// Messages are saved with Node's own SQLite.

import { DatabaseSync } from "node:sqlite";
import { WebSocket, WebSocketServer } from "ws";

const [port, path] = process.argv.slice(2);
const database = new DatabaseSync(path);
database.exec("PRAGMA journal_mode = WAL");
database.exec("PRAGMA synchronous = NORMAL");
database.exec("CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, topic TEXT, name TEXT, message TEXT)");
const insert = database.prepare("INSERT INTO message (topic, name, message) VALUES (?, ?, ?)");

/** @type {Map<string, Set<WebSocket>>} */
const rooms = new Map();

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port), perMessageDeflate: false });

server.on("connection", (socket) => {
  const topics = new Set();
  socket.on("message", (data) => {
    const [joinRef, ref, topic, event, payload] = JSON.parse(data.toString());
    if (event === "phx_join") {
      if (!rooms.has(topic)) rooms.set(topic, new Set());
      rooms.get(topic).add(socket);
      topics.add(topic);
    } else if (event === "new_message") {
      const { name, message } = payload;
      const frame = JSON.stringify([null, null, topic, "new_message", { name, message }]);
      for (const member of rooms.get(topic)) {
        if (member.readyState === WebSocket.OPEN) member.send(frame);
      }
      insert.run(topic, name, message);
    }
    socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", { status: "ok", response: {} }]));
  });
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    for (const topic of topics) rooms.get(topic).delete(socket);
  });
});
