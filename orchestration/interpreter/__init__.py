"""The pure interpreter: (plan, state, event) in, (state, effects) out. No clock, no I/O, no randomness (S2)."""
