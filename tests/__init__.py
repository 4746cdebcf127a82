"""The tests; the folders mirror the project."""
