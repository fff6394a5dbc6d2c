"""File formats of other tools, as streams of bytes made from arrays."""
