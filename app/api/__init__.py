"""PURE: what the API is made of: kinds, quantities and the versioned models."""
