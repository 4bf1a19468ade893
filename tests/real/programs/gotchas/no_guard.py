"""Under spawn the child imports main again, which starts a child again: so it is forbidden."""

import multiprocessing


def work():
    print("never here")


multiprocessing.set_start_method("spawn", force=True)
ada = multiprocessing.Process(name="Ada", target=work)
ada.start()
ada.join()
print("Ada ended with", ada.exitcode)
