"""Where model packs come from: fetched, converted, checked, listed."""
