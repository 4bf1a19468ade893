"""The virtual world: the same program over greenlets, one run of each process learned once.

Processes share nothing but primitives, and a process is deterministic: what it has been
answered is what it is.  So each process is learned as an *automaton* (``automaton``) from
answers to next operations, by running its own code in a greenlet (``body``); a state of the
program is a tuple of automaton nodes and atom values (``system``), and a step is a dictionary
look-up.  The program's code runs again only for an answer that was never given before.
"""
