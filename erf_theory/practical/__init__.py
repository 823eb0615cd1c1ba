"""Practical answers: overlaps of tiles, sizes of inputs, priors of anchors."""
