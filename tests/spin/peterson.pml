/* Peterson's mutual exclusion of two.  With HASTY each gives way before it says that it wants. */

bit wants[2];
bit turn;
byte counter;

proctype enter(bit me) {
    byte seen;
#ifdef HASTY
    turn = 1 - me;
    wants[me] = 1;
#else
    wants[me] = 1;
    turn = 1 - me;
#endif
    do
    :: !wants[1 - me] -> break
    :: turn == me -> break
    od;
    seen = counter;
    counter = seen + 1;
    wants[me] = 0
}

proctype end() {
    timeout -> printf("END %d %d\n", counter, turn)
}

init {
    atomic {
        run enter(0);
        run enter(1);
        run end()
    }
}
