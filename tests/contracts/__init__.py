"""Tests of the contracts, run in process on the rules of the shanghai fork."""
