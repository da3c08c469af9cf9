"""Watching a run: everything here reads the stream of events and nothing else."""
