"""Every interleaving: the searches over what may happen, and what they find."""
