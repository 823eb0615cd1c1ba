"""A model's field on one page, and what its training did to it."""
