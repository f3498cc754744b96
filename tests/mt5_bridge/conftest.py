from tests.mt5_bridge.memory_keyring import memory_keyring

__all__ = ["memory_keyring"]
