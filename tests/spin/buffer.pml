/* A buffer of SIZE items, two producers and two consumers of K items each.
   With GREEDY a producer takes the lock before it waits for a slot. */
#ifndef SIZE
#define SIZE 1
#endif
#ifndef K
#define K 2
#endif

byte slots = SIZE, items = 0;
bit lock;
byte buffer[SIZE], put, got;
byte seen[4], count[2]; /* what each consumer got, and how much */

#define acquire(what) atomic { what > 0 -> what-- }
#define take atomic { !lock -> lock = 1 }

proctype producer(byte me) {
    byte n;
    for (n : 0 .. K - 1) {
#ifdef GREEDY
        take;
        acquire(slots);
#else
        acquire(slots);
        take;
#endif
        buffer[put] = 1 + me * K + n;
        put = (put + 1) % SIZE;
        lock = 0;
        items++
    }
}

proctype consumer(byte me) {
    byte n;
    for (n : 0 .. K - 1) {
        acquire(items);
        take;
        d_step {
            seen[me * K + count[me]] = buffer[got];
            count[me]++;
            got = (got + 1) % SIZE
        };
        lock = 0;
        slots++
    }
}

proctype end() {
    byte n, k;
    timeout -> d_step {
        printf("END");
        for (n : 0 .. 2 * K - 1) { printf(" %d", seen[n]) };
        printf("\n")
    }
}

init {
    atomic {
        run producer(0);
        run producer(1);
        run consumer(0);
        run consumer(1);
        run end()
    }
}
