"""Conversations answered by a model that thinks first: `Harness`, its requests and its items."""

from engine.harness.harness import Harness
from engine.harness.messages import Finished, GenerationRequest, Text, ThinkingEnded

__all__ = ["Finished", "GenerationRequest", "Harness", "Text", "ThinkingEnded"]
