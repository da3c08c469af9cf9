"""The impure side: the driver between interpreter and handler, services, threads, and the local engine."""
