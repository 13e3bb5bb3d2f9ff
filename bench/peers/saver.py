"""Saves messages to SQLite in a thread, for the Python peers.

One transaction commits all messages that wait.
"""

import asyncio
import queue
import sqlite3
import threading
from concurrent.futures import Future


class Saver:
    def __init__(self, path: str) -> None:
        self._path = path
        self._waiting: queue.SimpleQueue = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def save(self, topic: str, name: str, message: str) -> "asyncio.Future[None]":
        """Queues a message; the future resolves when it is committed."""
        saved: Future = Future()
        self._waiting.put(((topic, name, message), saved))
        return asyncio.wrap_future(saved)

    def _run(self) -> None:
        database = sqlite3.connect(self._path)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, topic TEXT, name TEXT, message TEXT)"
        )
        while True:
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get())
            with database:
                database.executemany(
                    "INSERT INTO message (topic, name, message) VALUES (?, ?, ?)", [row for row, _ in batch]
                )
            for _, saved in batch:
                saved.set_result(None)
