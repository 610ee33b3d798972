"""Tests of the page in a real Chromium; a package, so that its deployments end behind its last test."""
