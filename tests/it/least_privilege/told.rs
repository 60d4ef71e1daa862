//! A refusal is no error at the call that meets it; so it is told elsewhere.

use crate::harness::{Ask, Bus, Doors, Process, Scene, TOKEN_KEYS, eventually};

#[tokio::test]
async fn a_service_that_lacks_a_right_is_unready_and_tells_and_counts_the_refusals() {
    let stage = Scene::new().on(Bus::Alone).start().await;
    let mut settings = vec![
        ("PROOFLINE_NATS_URL", stage.broker.lock().await.url()),
        ("PROOFLINE_LISTEN", "127.0.0.1:0".to_owned()),
        ("PROOFLINE_ADMIN_LISTEN", "127.0.0.1:0".to_owned()),
        ("PROOFLINE_TOKEN_KEYS", TOKEN_KEYS.to_owned()),
    ];
    settings.extend(stage.guard.as_ref().unwrap().settings_of("upload"));
    let doors = Doors { public: true, admin: true };

    let name = "their-proofline-callback-receiver";
    let receiver = Process::start(name, doors, &settings, stage.folder()).await;

    let get = async |path: &str| {
        let url = format!("{}{path}", receiver.admin_url);
        stage.caller.http.get(url).ask().await
    };
    eventually("a refusal is counted", async || {
        let metrics = get("/metrics").await;
        let metrics = String::from_utf8_lossy(&metrics.bytes).into_owned();
        let mut lines = metrics.lines();
        let counted = lines.find(|line| line.starts_with("proofline_nats_refusals_total"));
        let is_counted = counted.is_some_and(|line| !line.ends_with(" 0"));
        if is_counted { Ok(()) } else { Err(metrics) }
    })
    .await;
    assert_eq!(get("/readyz").await.status, 503);
    let log = receiver.log();
    let mut lines = log.lines();
    let told = lines.find(|line| line.contains("Permissions Violation for Publish"));
    assert!(told.is_some_and(|line| line.contains(r#""level":"ERROR""#)), "{log}");
}
