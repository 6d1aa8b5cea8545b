"""HTML of ``process`` and ``demo``: one page a session, one for the whole batch."""
