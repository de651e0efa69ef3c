"""A cluster in memory and Metacontroller's loop over it: what the demo, ``render`` and the tests need, and no more.

The loop calls the hooks over HTTP, as the real one does. What it leaves out: revisions, leader election, and the
defaults that an API server writes into built-in kinds. What has to hold on a real cluster is tested on one.
"""
