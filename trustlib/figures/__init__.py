"""Figures of results: house style, SVG, and one module per room."""
