"""Events to bytes: one module per wire format, each a pure function of the events."""
