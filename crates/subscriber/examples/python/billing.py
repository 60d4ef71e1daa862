"""A whole subscriber: prints one line for each verification that ended.

`make example-python` runs it against `make dev`. Settings, all optional: NATS_URL, NATS_DURABLE,
NATS_CREDS_FILE, NATS_INBOX_PREFIX, NATS_JS_PREFIX; PROOFLINE_DESCRIPTORS is the compiled proto/.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import nats
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

DESCRIPTORS = Path(__file__).resolve().parents[4] / "proto" / "released.binpb"
# A pull waits so long for the next event, and a stop for the pull.
PULL_SECONDS = 2
# How long a stop may wait for a NATS that is away.
FLUSH_SECONDS = 2
# How many event ids are remembered: duplicates come soon after the original.
REMEMBERED = 10_000


def setting(name, default=None):
    return os.environ.get(name) or default


def load_events(path):
    """The types of proto/, without a step that generates code."""
    files = descriptor_pb2.FileDescriptorSet.FromString(Path(path).read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    finished = pool.FindMessageTypeByName("proofline.events.v1.ProcessFinished")
    outcomes = pool.FindEnumTypeByName("proofline.events.v1.Outcome")
    return message_factory.GetMessageClass(finished), outcomes


class Billing:
    """What is done with each end, once for each event id."""

    def __init__(self, descriptors):
        self.process_finished, self.outcomes = load_events(descriptors)
        # A real subscriber stores the event id in the transaction of what it does: this memory is
        # gone with the process.
        self.seen = {}

    async def handle(self, message):
        event_id = message.headers["ce-id"]
        # A replay is what an operator wants to be done again.
        if event_id in self.seen and "proofline-replay" not in message.headers:
            return
        event = self.process_finished.FromString(message.data)
        outcome = self.outcomes.values_by_number.get(event.outcome)
        word = outcome.name.removeprefix("OUTCOME_").lower() if outcome else "unknown"
        print(event.verification_id, word, event_id, flush=True)
        self.seen[event_id] = None
        if len(self.seen) > REMEMBERED:
            del self.seen[next(iter(self.seen))]


async def settle(billing, message):
    """Acknowledges what was handled; what was not comes again, a little later each time.

    A handler that takes long says `await message.in_progress()` well within the ack_wait of 30 s.
    """
    try:
        await billing.handle(message)
    except Exception as error:  # whatever it was, the event must not be lost
        attempt = message.metadata.num_delivered
        delay = min(60, 0.5 * 2 ** min(attempt - 1, 7))
        print(f"not handled in attempt {attempt}: {error!r}", file=sys.stderr)
        await message.nak(delay=delay)
    else:
        await message.ack_sync()


async def unless(stopping, work):
    """The result of the work; None when it is to stop before there is one."""
    work, stop = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if work.done():
        return work.result()
    work.cancel()
    return None


def connect():
    """Tries until NATS is there."""
    return nats.connect(
        setting("NATS_URL", "nats://127.0.0.1:4222").split(","),
        name="billing-example",
        user_credentials=setting("NATS_CREDS_FILE"),
        inbox_prefix=setting("NATS_INBOX_PREFIX", "_INBOX"),
        max_reconnect_attempts=-1,
    )


async def consume(client, billing, stopping):
    jetstream = client.jetstream(prefix=setting("NATS_JS_PREFIX", "$JS.API"))
    # The consumer is there already: `proofline provision` makes it.
    events = await jetstream.pull_subscribe_bind(
        setting("NATS_DURABLE", "demo-subscriber"), stream="VERIFICATIONS"
    )
    while not stopping.is_set():
        try:
            # One by one: the ack_wait of an event that waits here would run out.
            for message in await events.fetch(1, timeout=PULL_SECONDS):
                await settle(billing, message)
        except nats.errors.TimeoutError:
            pass  # nothing has ended meanwhile
        except nats.errors.Error as error:
            print(f"not consuming, trying again: {error!r}", file=sys.stderr)
            await unless(stopping, asyncio.sleep(1))


async def close(client):
    # Not drain: it would wait for somebody to read what the last pull left behind.
    try:
        await client.flush(FLUSH_SECONDS)
    except nats.errors.Error as error:
        print(f"what was acknowledged last may come again: {error!r}", file=sys.stderr)
    finally:
        await client.close()


async def main():
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    billing = Billing(setting("PROOFLINE_DESCRIPTORS", DESCRIPTORS))
    client = await unless(stopping, connect())
    if client is None:
        return
    try:
        await consume(client, billing, stopping)
    finally:
        await close(client)


if __name__ == "__main__":
    asyncio.run(main())
