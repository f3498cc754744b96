"""The life of a trade as plain values: transitions, fills, money, exposure. Pure."""
