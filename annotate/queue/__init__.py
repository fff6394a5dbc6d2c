"""The queue: work units on their way to the workers, and what workers tell each other."""
