"""Pure functions on arrays: no file, no clock, no network."""
