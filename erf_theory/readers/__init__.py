"""A user's own model becomes a network: PyTorch modules here."""
