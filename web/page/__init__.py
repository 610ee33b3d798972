"""The page at `/`: its files, and the route that renders Markdown for it. Knows nothing of sessions and models."""
