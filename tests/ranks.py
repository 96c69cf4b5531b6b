"""Processes of one PyTorch process group, for the tests of what is distributed."""

import os
import socket
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import torch
import torch.multiprocessing as mp

Body = Callable[[int, int], None]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _rank(rank: int, world: int, port: int, bodies: list[Body], errors: Any) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", rank=rank, world_size=world, timeout=timedelta(seconds=60)
    )
    try:
        for body in bodies:
            body(rank, world)
    except BaseException:
        errors.put(f"rank {rank}, {body.__name__}: {traceback.format_exc()}")
        os._exit(1)  # the others wait in vain for it
    torch.distributed.destroy_process_group()


def spawn(world: int, *bodies: Body) -> None:
    """Run the bodies, one after the other, on ``world`` ranks; the first failure fails the test."""
    context = mp.get_context("spawn")
    errors, port = context.SimpleQueue(), _free_port()
    ranks = [
        context.Process(target=_rank, args=(rank, world, port, list(bodies), errors), daemon=True)
        for rank in range(world)
    ]
    for process in ranks:
        process.start()
    found = ""
    for process in ranks:
        process.join(120)
        if process.is_alive():
            found = f"{process.name} did not end in 120 s. " + found
            process.kill()
    while not errors.empty():
        found += errors.get()
    assert not found, found
    assert [process.exitcode for process in ranks] == [0] * world
