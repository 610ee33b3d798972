"""How one deployment calls another: client, server, connection, protocol."""
