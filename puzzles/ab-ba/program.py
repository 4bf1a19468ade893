"""Two transfers between two accounts, in opposite directions."""

from multiprocessing import Lock, Process, Value


def transfer(amount, source, source_lock, target, target_lock):
    with source_lock:
        source.value -= amount
        with target_lock:
            target.value += amount


def main():
    savings, savings_lock = Value("i", 100), Lock()
    wallet, wallet_lock = Value("i", 100), Lock()
    clerks = [
        Process(
            name="Ada",
            target=transfer,
            args=(30, savings, savings_lock, wallet, wallet_lock),
        ),
        Process(
            name="Bob",
            target=transfer,
            args=(20, wallet, wallet_lock, savings, savings_lock),
        ),
    ]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    print(f"savings {savings.value}, wallet {wallet.value}")


if __name__ == "__main__":
    main()
