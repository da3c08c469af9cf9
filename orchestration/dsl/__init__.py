"""The typed builder. Its values compile to plans; `run` is its one door to the runtime."""
