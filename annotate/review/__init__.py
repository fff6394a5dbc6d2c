"""The page on which reviewers look at annotated videos and make them right: a local server."""
