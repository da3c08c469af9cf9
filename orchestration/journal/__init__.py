"""The log of runs that survive their process: what is stored, where, and how a run goes on from it (S34-S38)."""
