//! NATS as its clients see it: version, limits, who may come in, what is there.

use async_nats::jetstream::stream::Info;
use proofline_events::Service;
use proofline_journal::{
    Connection, Error, SignalSink, check_max_payload, check_version, outstanding,
    topology::{TIMERS, VERIFICATIONS},
};

use super::{
    Settings,
    finding::{Check, Finding, Verdict},
    probe, server,
};

/// So many copies survive the loss of one server and can still decide.
const ENOUGH_REPLICAS: usize = 3;

/// What only a client of NATS can look at.
const CONNECTED: [Check; 7] = [
    Check::MaxPayload,
    Check::NatsLogin,
    Check::NatsRights,
    Check::Replicas,
    Check::Provisioned,
    Check::StorageSpeed,
    Check::NatsClock,
];

/// Everything about NATS.
pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    let mut findings = server::examine(&settings.monitoring).await;
    let connected = Connection::open(&settings.nats, "proofline-doctor").await;
    let version = match &connected {
        Ok(connection) => check_version(connection).await,
        Err(error) => Err(Error::Refused(error.to_string())),
    };
    let is_connected = !matches!(version, Err(Error::Unavailable(_)));
    let advice = "Check PROOFLINE_NATS_* and the network; NATS must be 2.14 or later, better 2.15.";
    findings.push(match version {
        Ok(version) => Verdict::Fine(format!("NATS {version}")).of(Check::NatsServer),
        Err(error) => Verdict::problem(error.to_string(), advice).of(Check::NatsServer),
    });
    let Some(connection) = connected.ok().filter(|_| is_connected) else {
        let unchecked = |check| Verdict::Unchecked("NATS can't be reached".to_owned()).of(check);
        findings.extend(CONNECTED.map(unchecked));
        return findings;
    };
    findings.push(max_payload(&connection).await.of(Check::MaxPayload));
    findings.push(login(settings).await.of(Check::NatsLogin));
    findings.push(rights(&connection).await.of(Check::NatsRights));
    findings.push(replicas(settings, &connection).await.of(Check::Replicas));
    findings.push(provisioned(settings, &connection).await.of(Check::Provisioned));
    let jetstream = connection.jetstream().expect("it was opened to a server");
    findings.extend(probe::examine(jetstream, settings.provision.replicas).await);
    connection.close().await;
    findings
}

async fn max_payload(connection: &Connection) -> Verdict {
    match check_max_payload(connection).await {
        Ok(bytes) => Verdict::Fine(format!("{bytes} bytes")),
        Err(error) => Verdict::problem(
            error.to_string(),
            "Set max_payload to 8454144 on every server: without it large results are lost.",
        ),
    }
}

/// Comes without a login, as a stranger would.
async fn login(settings: &Settings) -> Verdict {
    let stranger = match Connection::open(&settings.nats.anonymous(), "proofline-doctor").await {
        Ok(stranger) => stranger,
        Err(error) => return Verdict::Unchecked(error.to_string()),
    };
    match check_version(&stranger).await {
        Err(Error::Unavailable(_)) => Verdict::Fine("nobody comes in without a login".to_owned()),
        Ok(_) | Err(_) => {
            stranger.close().await;
            Verdict::problem(
                "whoever reaches NATS may do anything on it",
                "Give each service a user of its own: deploy/nats/production.",
            )
        }
    }
}

/// Tries what whoever provisions has no need of, in a way that stores nothing.
async fn rights(connection: &Connection) -> Verdict {
    let jetstream = connection.jetstream().expect("it was opened to a server");
    if let Err(error) = jetstream.get_stream(VERIFICATIONS).await {
        return Verdict::Unchecked(format!("{VERIFICATIONS}: {error}"));
    }
    match SignalSink::new(connection, Service::CallbackReceiver).probe().await {
        Err(Error::Unavailable(_)) => {
            Verdict::Fine("who provisions can't append events".to_owned())
        }
        Ok(()) => Verdict::problem(
            "who provisions may append events, too: users are not held to their work",
            "Give each service a user of its own with its rights alone: deploy/nats/production.",
        ),
        Err(error) => Verdict::Unchecked(error.to_string()),
    }
}

async fn replicas(settings: &Settings, connection: &Connection) -> Verdict {
    let wanted = settings.provision.replicas;
    if wanted < ENOUGH_REPLICAS {
        return Verdict::problem(
            format!("PROOFLINE_NATS_REPLICAS is {wanted}: with its disk the events are gone"),
            "Run three NATS servers, set PROOFLINE_NATS_REPLICAS=3 and run `proofline provision`.",
        );
    }
    let mut behind = Vec::new();
    let jetstream = connection.jetstream().expect("it was opened to a server");
    for name in [VERIFICATIONS, TIMERS] {
        match jetstream.get_stream(name).await {
            Ok(stream) => behind.extend(laggards(stream.cached_info())),
            Err(error) => return Verdict::Unchecked(format!("{name}: {error}")),
        }
    }
    if behind.is_empty() {
        return Verdict::Fine(format!("{wanted}, and all follow"));
    }
    Verdict::problem(
        behind.join(", "),
        "See that every NATS server runs and reaches the others; one that was away catches up.",
    )
}

/// Copies of a stream that are missing or behind.
fn laggards(info: &Info) -> Vec<String> {
    let replicas = info.cluster.iter().flat_map(|cluster| &cluster.replicas);
    let behind = replicas.filter(|replica| replica.offline || !replica.current);
    behind.map(|replica| format!("{} of {} is behind", replica.name, info.config.name)).collect()
}

async fn provisioned(settings: &Settings, connection: &Connection) -> Verdict {
    let tenants = settings.tenants.iter();
    let subscribers: Vec<_> = tenants
        .flat_map(|tenant| {
            tenant.subscribers.iter().map(|name| (tenant.name.to_string(), name.clone()))
        })
        .collect();
    let advice = "Run `proofline provision` with these settings.";
    match outstanding(connection, settings.provision, &subscribers).await {
        Ok(changes) if changes.is_empty() => {
            Verdict::Fine("streams, buckets and consumers are as they should be".to_owned())
        }
        Ok(changes) => {
            Verdict::problem(format!("not provisioned yet: {}", changes.join("; ")), advice)
        }
        Err(error @ Error::Unavailable(_)) => Verdict::problem(
            format!("could not be looked at: {error}"),
            "Is JetStream on, and may this user see streams and consumers? Take the user `provision`.",
        ),
        Err(error) => Verdict::problem(error.to_string(), advice),
    }
}
