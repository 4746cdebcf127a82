"""Compiled ABI and bytecode, written by ``make compile`` and committed."""
