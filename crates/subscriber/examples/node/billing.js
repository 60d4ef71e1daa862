// A whole subscriber: prints one line for each verification that ended.
//
// `make example-node` runs it against `make dev`. Settings, all optional: NATS_URL, NATS_DURABLE,
// NATS_CREDS_FILE, NATS_INBOX_PREFIX, NATS_JS_PREFIX; PROOFLINE_PROTO is the directory proto/.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { jetstream } from "@nats-io/jetstream";
import { connect, credsAuthenticator } from "@nats-io/transport-node";
import protobuf from "protobufjs";

// A pull waits so long for the next event, and a stop for the pull.
const PULL_MS = 2_000;
// How long a stop may wait for a NATS that is away.
const DRAIN_MS = 2_000;
// How many event ids are remembered: duplicates come soon after the original.
const REMEMBERED = 10_000;

const setting = (name, fallback) => process.env[name] || fallback;

async function loadEvents() {
  const here = fileURLToPath(new URL("../../../../proto", import.meta.url));
  const proto = setting("PROOFLINE_PROTO", here);
  const root = new protobuf.Root();
  const known = root.resolvePath;
  root.resolvePath = (origin, target) =>
    target.startsWith("proofline/") ? join(proto, target) : known(origin, target);
  await root.load("proofline/events/v1/events.proto");
  return {
    ProcessFinished: root.lookupType("proofline.events.v1.ProcessFinished"),
    outcomes: root.lookupEnum("proofline.events.v1.Outcome").valuesById,
  };
}

/** What is done with each end, once for each event id. */
class Billing {
  // A real subscriber stores the event id in the transaction of what it does: this memory is gone
  // with the process.
  #seen = new Set();

  constructor({ ProcessFinished, outcomes }) {
    Object.assign(this, { ProcessFinished, outcomes });
  }

  handle(message) {
    const eventId = message.headers.get("ce-id");
    // A replay is what an operator wants to be done again.
    if (this.#seen.has(eventId) && !message.headers.has("proofline-replay")) return;
    const event = this.ProcessFinished.decode(message.data);
    const outcome = this.outcomes[event.outcome] ?? "unknown";
    const word = outcome.replace(/^OUTCOME_/, "").toLowerCase();
    console.log(event.verificationId, word, eventId);
    this.#seen.add(eventId);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value);
  }
}

/**
 * Acknowledges what was handled; what was not comes again, a little later each time. A handler
 * that takes long calls `message.working()` well within the ack_wait of 30 s.
 */
async function settle(billing, message) {
  try {
    await billing.handle(message);
  } catch (error) {
    const attempt = message.info.deliveryCount;
    console.error(`not handled in attempt ${attempt}:`, error);
    message.nak(Math.min(60_000, 500 * 2 ** Math.min(attempt - 1, 7)));
    return;
  }
  await message.ackAck();
}

/** Tries until NATS is there. */
async function connectToNats() {
  const credentials = setting("NATS_CREDS_FILE");
  return connect({
    servers: setting("NATS_URL", "nats://127.0.0.1:4222").split(","),
    name: "billing-example",
    authenticator: credentials && credsAuthenticator(await readFile(credentials)),
    inboxPrefix: setting("NATS_INBOX_PREFIX", "_INBOX"),
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
  });
}

async function consume(client, billing, stop) {
  const js = jetstream(client, { apiPrefix: setting("NATS_JS_PREFIX", "$JS.API") });
  // Bound by its name, without asking for it: `proofline provision` makes the consumer.
  const consumer = js.consumers.getConsumerFromInfo({
    stream_name: "VERIFICATIONS",
    name: setting("NATS_DURABLE", "demo-subscriber"),
    config: {},
  });
  while (!stop.aborted) {
    try {
      // One by one: the ack_wait of an event that waits here would run out.
      const message = await consumer.next({ expires: PULL_MS, bind: true });
      if (message) await settle(billing, message);
    } catch (error) {
      console.error("not consuming, trying again:", error.message);
      await pause(1_000, undefined, { signal: stop }).catch(() => {});
    }
  }
}

async function main() {
  const stopping = new AbortController();
  const stop = stopping.signal;
  const stopped = new Promise((resolve) => stop.addEventListener("abort", () => resolve()));
  for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => stopping.abort());

  const billing = new Billing(await loadEvents());
  const client = await Promise.race([connectToNats(), stopped]);
  if (!client) return;
  await consume(client, billing, stop);
  await Promise.race([client.drain(), pause(DRAIN_MS)]);
}

await main();
// Whatever still tries to reach NATS would go on.
process.exit();
