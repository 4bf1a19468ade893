"""Processes that each give a block to an inode that has none.

Flanagan, Godefroid: "Dynamic partial-order reduction for model checking software", POPL 2005,
figure 2.
"""

import sys
from multiprocessing import Lock, Process, RawArray, set_start_method

BLOCKS, INODES = 26, 32


def give(tid, locki, inode, lockb, busy):
    i = tid % INODES
    with locki[i]:
        if inode[i] == 0:
            b = (i * 2) % BLOCKS
            while True:
                with lockb[b]:
                    if not busy[b]:
                        busy[b] = 1
                        inode[i] = b + 1
                        break
                b = (b + 1) % BLOCKS


if __name__ == "__main__":
    set_start_method("fork")
    locki = [Lock() for _ in range(INODES)]
    lockb = [Lock() for _ in range(BLOCKS)]
    inode, busy = RawArray("i", INODES), RawArray("i", BLOCKS)
    for tid in range(int(sys.argv[1])):
        Process(target=give, args=(tid, locki, inode, lockb, busy)).start()
