/* Philosophers who eat once.  N of them; with LEFTY the last one takes the other fork first. */
#ifndef N
#define N 3
#endif

bit taken[N];
byte takes[N];

proctype philosopher(byte me; byte first; byte second) {
    atomic { !taken[first] -> taken[first] = 1; takes[me]++ };
    atomic { !taken[second] -> taken[second] = 1; takes[me]++ };
    taken[second] = 0;
    taken[first] = 0
}

/* Nobody can go on: a state at an end.  What can be seen of it is printed. */
proctype end() {
    byte n;
    timeout -> d_step {
        printf("END");
        for (n : 0 .. N - 1) { printf(" %d", takes[n]) };
        printf("\n")
    }
}

init {
    byte n;
    atomic {
        for (n : 0 .. N - 1) {
#ifdef LEFTY
            if
            :: n == N - 1 -> run philosopher(n, (n + 1) % N, n)
            :: else -> run philosopher(n, n, (n + 1) % N)
            fi
#else
            run philosopher(n, n, (n + 1) % N)
#endif
        };
        run end()
    }
}
