"""The track record: its days sealed and proved, its export, its figures and its reports."""
