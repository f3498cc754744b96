"""Waits until the pipeline has nothing left to do, and says what it still does meanwhile."""

import sys
import time

import django


def main() -> int:
    """Return 0 as soon as everything that came in is stored, decided and sent."""
    django.setup()
    # Once Django is ready: what it imports are models.
    from goldtrader.drain import is_drained

    said = ""
    while True:
        is_done, state = is_drained()
        if state != said and state:
            sys.stdout.write(f"  {state}\n")
            sys.stdout.flush()
            said = state
        if is_done:
            return 0
        time.sleep(0.25)


if __name__ == "__main__":
    sys.exit(main())
