"""Serves rooms with Django Channels on Daphne.

Written as the tutorial of Channels shows a chat: a consumer uses groups, with the channel layer in memory.
"""

import hashlib
import re
import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="a benchmark has no secrets",
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": sys.argv[2],
            "OPTIONS": {"init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"},
        }
    },
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402  # Django must be set up first
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from daphne.endpoints import build_endpoint_description_strings  # noqa: E402
from daphne.server import Server  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import path  # noqa: E402


class Message(models.Model):
    topic = models.TextField()
    name = models.TextField()
    message = models.TextField()

    class Meta:
        app_label = "chat"


class ChatConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.topics = set()
        await self.accept()

    async def disconnect(self, code):
        for topic in self.topics:
            await self.channel_layer.group_discard(group(topic), self.channel_name)

    async def receive_json(self, content):
        join_ref, ref, topic, event, payload = content
        if event == "phx_join":
            self.topics.add(topic)
            await self.channel_layer.group_add(group(topic), self.channel_name)
        elif event == "new_message":
            message = {"name": payload["name"], "message": payload["message"]}
            await self.channel_layer.group_send(
                group(topic), {"type": "chat.message", "topic": topic, "message": message}
            )
            await Message.objects.acreate(topic=topic, **message)
        await self.send_json([join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}])

    async def chat_message(self, event):
        await self.send_json([None, None, event["topic"], "new_message", event["message"]])


def group(topic):
    """Returns a group name that Channels allows."""
    name = re.sub(r"[^a-zA-Z0-9_.-]", ".", topic)
    return name if len(name) < 100 else hashlib.sha256(topic.encode()).hexdigest()


def create_table():
    with connection.schema_editor() as editor:
        editor.create_model(Message)


create_table()
application = ProtocolTypeRouter({"websocket": URLRouter([path("socket/websocket", ChatConsumer.as_asgi())])})

Server(
    application,
    endpoints=build_endpoint_description_strings(host="127.0.0.1", port=int(sys.argv[1])),
    ping_interval=86_400,  # no server pings, since clients send heartbeats
    websocket_timeout=-1,
).run()
