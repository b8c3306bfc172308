"""Benchmarks: `make bench` measures Percorso beside ClickHouse and DuckDB and writes RESULTS.md."""
