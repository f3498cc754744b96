"""What people are told: the outbox, its kinds, their text and pictures, and how they are sent."""
