"""Model packs: download, convert, verify and list them."""
