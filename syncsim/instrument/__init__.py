"""Code that runs inside the program's processes: the gate, the probes, the stage."""
