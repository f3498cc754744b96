"""Many runs of the engine: searches among settings, spread over workers or processes."""
