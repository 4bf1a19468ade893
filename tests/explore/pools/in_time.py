"""Results that are waited for for some time, and looked for."""

from multiprocessing import Pool, RawValue
from multiprocessing import TimeoutError as LateError

if __name__ == "__main__":
    seen = RawValue("i", 0)
    pool = Pool(1)
    result = pool.apply_async(abs, (-1,))
    try:
        result.get(timeout=1)
        seen.value += 1
    except LateError:
        seen.value += 10
    if result.ready():
        seen.value += 100
    result.wait(2)
    if result.ready():
        seen.value += 1000
    pool.terminate()
