"""The only part of trustlib that knows the query engine (ibis over DuckDB or PostgreSQL)."""
