"""Engines: number systems for gradient fields, one file each, all with the same operations."""
