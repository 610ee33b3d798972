"""What a client may ask of the OpenAI routes, in OpenAI's shapes; each becomes the same `UpstreamRequest`."""
