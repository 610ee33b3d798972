"""Metrics and tracing of streams; imports neither `rpc` nor `web`."""
