"""What a viewer sees live; today the stream of events that pages follow."""
