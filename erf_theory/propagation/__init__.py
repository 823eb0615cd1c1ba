"""How fields and signals go through a network: one rule per layer."""
