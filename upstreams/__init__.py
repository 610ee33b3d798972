"""Which upstream serves which model, and streaming /chat/completions APIs over HTTP. No Ray."""
