"""Logins, sessions, invitations, offboarding."""
