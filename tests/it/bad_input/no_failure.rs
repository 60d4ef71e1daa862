//! None of it is answered as a failure of ours.

use serde_json::json;

use super::{
    classes,
    scene::{answers, every_route, of_every_class, stage},
};

/// The status of each answer that was read from a connection.
pub(super) fn statuses(said: &str) -> impl Iterator<Item = u16> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("HTTP/1."));
    lines.filter_map(|line| line.get(2..5)?.parse().ok())
}

#[tokio::test]
async fn no_class_of_bad_input_is_a_failure_of_any_route() {
    assert!(classes::all().len() >= 24, "{} classes", classes::all().len());
    let stage = stage().await;
    let routes = every_route(&stage).await;
    assert_eq!(routes.len(), 18);
    for route in &routes {
        let good = answers([(String::new(), route.url.clone(), route.good())].into_iter()).await;
        // Of what has no video Assure has none, and what is finished takes no image.
        let is_good =
            statuses(&good[0].1).all(|status| status < 400 || [404, 409].contains(&status));
        assert!(is_good && !good[0].1.is_empty(), "{route:?}: {}", good[0].1);
    }

    let told = answers(of_every_class(&routes)).await;

    let failures: Vec<_> =
        told.iter().filter(|(_, said)| statuses(said).any(|status| status >= 500)).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    let answered = told.iter().filter(|(_, said)| !said.is_empty()).count();
    assert!(answered > told.len() / 2, "{answered} answers of {}", told.len());
    for (name, log) in stage.logs() {
        assert!(!log.contains("panicked"), "{name}: {log}");
    }
    // And all goes on.
    let (given, when, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    loop {
        let caught = when.a_callback_is_caught().await;
        when.calls_back(&caught).await.says_nothing(200);
        if caught.body["processId"] == v.process_id.as_str() {
            break;
        }
    }
    then.ends_as(&v, "accepted", "").await;
}
