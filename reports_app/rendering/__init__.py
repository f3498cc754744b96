"""How results look: pages, tables, charts and JSON."""
