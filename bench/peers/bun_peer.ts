// Serves rooms with Bun, written as its documentation shows a chat: `subscribe` and `publish` of `Bun.serve`.
// Messages are saved with Bun's own SQLite.

import { Database } from "bun:sqlite";

const [port, path] = process.argv.slice(2);
const database = new Database(path);
database.exec("PRAGMA journal_mode = WAL");
database.exec("PRAGMA synchronous = NORMAL");
database.exec("CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, topic TEXT, name TEXT, message TEXT)");
const insert = database.query("INSERT INTO message (topic, name, message) VALUES (?, ?, ?)");

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch(request, server) {
    return server.upgrade(request) ? undefined : new Response("expected a websocket", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    maxPayloadLength: 64 * 1024,
    idleTimeout: 120, // seconds
    backpressureLimit: 16 * 1024 * 1024,
    message(socket, text) {
      const [joinRef, ref, topic, event, payload] = JSON.parse(text);
      if (event === "phx_join") {
        socket.subscribe(topic);
      } else if (event === "new_message") {
        const { name, message } = payload;
        const frame = JSON.stringify([null, null, topic, "new_message", { name, message }]);
        server.publish(topic, frame);
        insert.run(topic, name, message);
      }
      socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", { status: "ok", response: {} }]));
    },
  },
});
