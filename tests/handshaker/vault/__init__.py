"""Tests of the vault: each promise as a sentence, and each theft that it must survive."""
