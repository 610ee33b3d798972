"""The requests of all routes, each in its own shape; every one becomes an `UpstreamRequest`."""
