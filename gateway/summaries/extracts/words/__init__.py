"""The words of each language, a module a language."""
