"""Split the text that a model writes into reasoning and response, however the model marks its reasoning."""

from gateway.reasoning.parser import ReasoningParser, Segment

__all__ = ["ReasoningParser", "Segment"]
