"""The contract between connector and gateway: messages, quotes, protocol state. No I/O."""
