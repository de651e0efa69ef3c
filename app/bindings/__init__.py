"""PURE: from a slot to the values that serve it, and from values to the Secrets that carry them."""
