"""Workers that begin with a fresh interpreter; a Pool that goes with its function."""

from multiprocessing import get_context


def work(n):
    print("at work")
    return n + 1


def main():
    pool = get_context("spawn").Pool(2)
    print(pool.map(work, [1, 2]))
    pool.terminate()


if __name__ == "__main__":
    main()
