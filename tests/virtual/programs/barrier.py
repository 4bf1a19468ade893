from multiprocessing import Barrier, Process


def climb(barrier, camp):
    for _ in range(2):
        barrier.wait()
    print(camp)


if __name__ == "__main__":
    top = Barrier(2)
    climbers = [Process(target=climb, args=(top, name), name=name) for name in ("Ada", "Bob")]
    for climber in climbers:
        climber.start()
    for climber in climbers:
        climber.join()
