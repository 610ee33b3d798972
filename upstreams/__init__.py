"""The choice of an upstream by the model, and streaming /chat/completions APIs over HTTP. No Ray."""
