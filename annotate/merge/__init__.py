"""Parts to tracks: association, numbering, smoothing."""
