"""erf_theory."""
