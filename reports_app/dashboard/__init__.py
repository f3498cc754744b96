"""What a viewer sees live: pages, and the stream of events that moves them."""
