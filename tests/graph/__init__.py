"""Tests of the graph on real Serve; a package, so that its deployments end behind its last test."""
