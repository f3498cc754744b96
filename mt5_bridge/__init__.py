"""The MT5 connector: from the terminal, a file or a simulation to the analysis server."""

__version__ = "0.1.0"
