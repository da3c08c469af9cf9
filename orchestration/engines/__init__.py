"""Engines beyond one machine."""
