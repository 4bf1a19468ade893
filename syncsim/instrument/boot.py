"""The script that the stage begins as: ``python boot.py PROGRAM [ARGUMENT …]``.

(By ``python -c`` the current folder would be searched, from 3.13 on before the first line is run.)
Ours are imported while no folder of anybody else is on the path; a module of the program may be
called as one that we need.
"""

import gc
import sys

if __name__ == "__main__":
    gc.disable()  # while ours are imported there is no garbage worth looking for
    at_start, path = set(sys.modules), sys.path[:]
    own_folder = __file__.rpartition("/")[0]
    root = own_folder.removesuffix("/syncsim/instrument")
    sys.path[:] = [root, *(folder for folder in path if folder not in ("", own_folder))]
    from syncsim.instrument import shadows, stage

    sys.path[:] = path
    gc.enable()
    sys.orig_argv.remove(__file__)
    shadows.at_start |= at_start
    stage.main()
