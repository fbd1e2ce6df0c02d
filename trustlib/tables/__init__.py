"""Tables of results: house style and one module per room."""
