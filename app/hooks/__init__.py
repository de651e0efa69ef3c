"""PURE: one module a kind: ``customize`` says what to look at, ``sync`` what should exist."""
