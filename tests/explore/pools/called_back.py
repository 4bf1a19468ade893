"""What a callback changes is seen by what the main process does next."""

from multiprocessing import Pool, RawValue

if __name__ == "__main__":
    got = []
    seen = RawValue("i", 0)
    pool = Pool(1)
    one = pool.apply_async(abs, (-1,), callback=got.append)
    two = pool.apply_async(abs, (-2,), callback=got.append)
    seen.value = 10 * len(got)
    seen.value += len(got)
    one.get()
    two.get()
    pool.close()
    pool.join()
