"""Smart Money Concepts: causal detectors over a window of closed candles. Pure.

What they find are msgspec structs where the product otherwise has dataclasses: a backtest makes
tens of millions of findings, and a struct is made ten times as quickly.
"""
