"""The Gaussian limit of deep stacks, and how it is reached."""
