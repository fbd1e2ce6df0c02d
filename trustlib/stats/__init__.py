"""Arrays in, small frozen records out: the statistics that the subject rooms share."""
