from multiprocessing import Process, Value


def add(total):
    total.value += 1


if __name__ == "__main__":
    total = Value("i", 0)
    both = [Process(target=add, args=(total,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert total.value == 2
