"""One treated market: synthetic controls over unit and time weights."""
