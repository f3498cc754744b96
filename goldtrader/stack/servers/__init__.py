"""PostgreSQL and Valkey from their wheels, and what they need: accounts, ports, certificates."""
