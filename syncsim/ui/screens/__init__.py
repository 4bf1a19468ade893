"""Whole screens: the gallery, the stage, the code of a program, the help."""
