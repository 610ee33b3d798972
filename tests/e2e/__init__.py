"""Tests with the real Qwen; a package, so that its deployments end behind its last test."""
