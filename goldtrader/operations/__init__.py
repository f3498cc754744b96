"""The running system seen from outside: health, metrics, signs of life, work left."""
