"""kill -9 of the store's processes in a burst of deliveries (design §13).

Fifty rounds, ten of them on one store. A round starts what is missing, sends from
several connections, kills one or all processes at a random moment, sometimes again
after a restart, and then recovers: what got its 250 in this or any round before is
there once, whole, with the uid it had.
"""
import os
import random
import shutil
import signal
import time

import pytest

from load import run_burst
from store import ACCOUNTS, Store, compare, databases_whole, storecheck

STORES, ROUNDS = 5, 10
VICTIMS = [["shard-0"], ["shard-1"], ["shard-0", "shard-1"], ["intake"], ["intake", "shard-0"], ["login"],
           ["login", "intake", "shard-0", "shard-1"]]


@pytest.fixture(scope="module", params=range(STORES))
def killing(release, work, request):
    folder = work / f"store-{request.param}"
    data = folder / "data"
    data.mkdir(parents=True)
    s = Store(release, data, folder / "run")
    s.seed, s.sent, s.acknowledged, s.uids = request.param * ROUNDS, [], [], {}
    yield s
    s.close()
    if "MAILSTEAD_KEEP" not in os.environ:
        shutil.rmtree(folder)


def break_it(store: Store, rng: random.Random, victims: list[str]):
    def during(burst) -> None:
        time.sleep(rng.uniform(0.05, 0.35))
        for name in victims:
            store.kill(name)
        if rng.random() < 0.5:               # comes back while clients still send
            for name in sorted(victims, reverse=True):
                store.start(name)
            time.sleep(rng.uniform(0.05, 0.2))
            store.kill(rng.choice(victims))
    return during


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_kill_in_a_burst(killing, round_number):
    s, seed = killing, killing.seed + round_number
    rng = random.Random(seed)
    s.start_all()
    burst = run_burst(s.address, seed, ACCOUNTS, connections=6, messages=400,
                      during=break_it(s, rng, VICTIMS[seed % len(VICTIMS)]))
    assert burst.acknowledged, f"nothing was delivered\n{s.logs()}"
    s.sent += burst.sent
    s.acknowledged += burst.acknowledged
    if seed % 3 == 0:                # recovered by the shards themselves, stopped in order
        s.start_all()
        s.kill_all(signal.SIGTERM)
    s.kill_all()
    messages, faults = storecheck(s.programs, s.data, abandon=seed % 2 == 1)
    faults += compare(messages, s.sent, s.acknowledged)
    faults += [f"uid changed: {m}" for m in messages if s.uids.setdefault((m.account, m.stored), m.uid) != m.uid]
    faults += databases_whole(s.data)
    assert not faults, "\n".join(faults[:20]) + "\n" + s.logs()
