"""From a wanted effective receptive field to the network that has it."""
