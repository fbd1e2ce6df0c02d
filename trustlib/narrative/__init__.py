"""Sentences made from results: one module or package per room."""
