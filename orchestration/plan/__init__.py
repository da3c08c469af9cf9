"""Plans: frozen nodes, and what can be known about them before anything runs."""
