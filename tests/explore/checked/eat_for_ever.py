from multiprocessing import Lock, Process, set_start_method


def dine(left, right):
    while True:
        with left, right:
            pass


if __name__ == "__main__":
    set_start_method("fork")
    forks = [Lock() for _ in range(3)]
    for n in range(3):
        Process(target=dine, args=(forks[n], forks[(n + 1) % 3])).start()
