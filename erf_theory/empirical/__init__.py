"""Real back-propagation through real random weights, and its statistics.

It shares the description of a network with the theory, and nothing else.
"""
