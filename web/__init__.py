"""The ASGI application: routes, authentication, OpenAPI, keep-alives. No Ray."""
