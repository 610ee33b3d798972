"""Extracts: summaries without a model, made of sentences of the text itself."""
