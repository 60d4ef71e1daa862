//! A subscriber in a NATS account of its own, with no more than its imports.

use std::time::Duration;

use proofline_subscriber::{Failure, Subscription};

use crate::bench::{Bench, DURABLE, eventually};

const ACCOUNTS: &str = r#"
accounts {
  SERVICES {
    jetstream: enabled
    users: [ { user: services, password: planted-services } ]
    exports: [
      { service: "$JS.API.CONSUMER.MSG.NEXT.VERIFICATIONS.acme-billing", response_type: "stream", response_threshold: "30s", accounts: [ACME] }
      { service: "$JS.ACK.VERIFICATIONS.acme-billing.>", accounts: [ACME] }
      { service: "proofline.dead.v1.acme-billing.>", accounts: [ACME] }
    ]
  }
  ACME {
    users: [ { user: billing, password: planted-billing, permissions: {
      publish: ["SVC.API.CONSUMER.MSG.NEXT.VERIFICATIONS.acme-billing", "$JS.ACK.VERIFICATIONS.acme-billing.>", "proofline.dead.v1.acme-billing.>"]
      subscribe: ["_INBOX_billing.>"]
    } } ]
    imports: [
      { service: { account: SERVICES, subject: "$JS.API.CONSUMER.MSG.NEXT.VERIFICATIONS.acme-billing" }, to: "SVC.API.CONSUMER.MSG.NEXT.VERIFICATIONS.acme-billing" }
      { service: { account: SERVICES, subject: "$JS.ACK.VERIFICATIONS.acme-billing.>" } }
      { service: { account: SERVICES, subject: "proofline.dead.v1.acme-billing.>" } }
    ]
  }
}
"#;

#[tokio::test]
async fn a_subscriber_in_an_account_of_its_own_needs_three_imports_and_no_more() {
    let login = vec![
        ("PROOFLINE_NATS_USER", "services".to_owned()),
        ("PROOFLINE_NATS_PASSWORD", "planted-services".to_owned()),
    ];
    let bench = Bench::bare(ACCOUNTS, login).await;
    bench.provision().await;
    let client = async_nats::ConnectOptions::new()
        .user_and_password("billing".to_owned(), "planted-billing".to_owned())
        .custom_inbox_prefix("_INBOX_billing")
        .connect(bench.server.url())
        .await
        .unwrap();
    let subscription = Subscription::open(client.clone(), DURABLE).unwrap().js_prefix("SVC.API");
    let rejected = bench.ends().await;
    let known = rejected.clone();
    let running = bench.run(subscription, move |delivery| {
        let is_rejected = delivery.event.verification_id == known;
        async move {
            match delivery.attempt {
                1 => Err(Failure::retry_after(Duration::from_millis(100), "not yet")),
                _ if is_rejected => Err(Failure::reject("no-such-order", "never heard of it")),
                _ => Ok(()),
            }
        }
    });

    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(bench.ends().await);
    }

    for id in &ids {
        bench.sees(id, 2).await;
    }
    bench.settles().await;
    let letter = bench.the_only_dead_letter().await;
    assert!(letter.subject.ends_with(&rejected));
    running.stop.cancel();
    running.task.await.unwrap().unwrap();
    leaves_no_mapping_behind(&bench).await;
}

/// Each pull of a subscription that keeps its inbox would leave one in the exporting account.
async fn leaves_no_mapping_behind(bench: &Bench) {
    let url = format!("{}/accountz?acc=SERVICES", bench.server.monitoring_url());
    eventually("no response mapping is left", async || {
        let responses = responses(&url).await;
        if responses <= 1 { Ok(()) } else { Err(responses.to_string()) }
    })
    .await;
}

async fn responses(url: &str) -> usize {
    let answer = get(url).await;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["account_detail"]["responses"].as_object().map_or(0, serde_json::Map::len)
}

/// One plain request needs no HTTP client.
async fn get(url: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}
