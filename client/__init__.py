"""The client: `stream()` for Python, `reasoning-ask` for the terminal (also `python -m client`). No Ray, no torch.

from client import stream

for event in stream("http://127.0.0.1:8000", "Why is the sky blue?", budget=256):
    print(event)
"""

from client.api import CutOff, Message, NoServer, Refused, StreamError, Unreadable, stream

__all__ = ["CutOff", "Message", "NoServer", "Refused", "StreamError", "Unreadable", "stream"]
