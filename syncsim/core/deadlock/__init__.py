"""Standstill: wait-for relations, findings, and the verdict they amount to."""
