"""The kill campaign: real processes are killed at every crash point and at random moments, and nothing may be lost.

``python -m tests.campaign --help``; `docs/kill-campaign.md` says what it does and what it checks.
"""
