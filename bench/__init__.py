"""How much CPU a sync costs, relative to an endpoint that answers constant bytes, in one run. ``make bench``."""
