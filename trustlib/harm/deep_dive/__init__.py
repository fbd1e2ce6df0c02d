"""A whole deep-dive: how big, since when, where and who, how, what controls miss, what to do."""
