"""The Prism operator: pure functions behind Metacontroller's webhooks."""

__version__ = "0.1.0"
