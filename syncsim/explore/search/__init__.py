"""The searches over executions and states."""
