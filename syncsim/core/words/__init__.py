"""Every sentence that is made of states, steps and verdicts."""
