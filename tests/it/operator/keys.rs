//! Keys: made, brought into use, and gone again, while services work.

use async_nats::jetstream;
use proofline_seal::Keyring;

use crate::{
    harness::{Ask, Build, TOKEN_KEYS, Typed, everything_in, load::Load, type_with},
    resilience::harness::{
        Fleet, Journey, KEYS, Plan, RECEIVER, callers, replace_all, settle, two_of_each,
    },
};

/// Every member has these from its next start on.
async fn all_are_told(fleet: &Fleet, name: &str, value: &str) {
    for member in fleet.members() {
        member.is_told(name, value).await;
    }
}

/// A key for the end of a list, as `proofline keys new` prints it.
async fn new_key(id: &str) -> String {
    let typed = type_with(&[], &["keys", "new", "--id", id]).await;
    assert_eq!(typed.complained, "");
    typed.worked().trim().to_owned()
}

async fn rewraps(fleet: &Fleet, keys: &str, more: &[&str]) -> Typed {
    let url = fleet.broker.lock().await.url();
    let settings = [("PROOFLINE_NATS_URL", url), ("PROOFLINE_KEYS", keys.to_owned())];
    type_with(&settings, &[&["keys", "rewrap"], more].concat()).await
}

/// Under which keys data keys are, each mentioned as often as there are such wrappings.
async fn wrapped_under(fleet: &Fleet) -> Vec<String> {
    let jetstream = jetstream::new(fleet.nats.clone());
    let stream = jetstream.get_stream("KV_DATA_KEYS").await.unwrap();
    let state = &stream.cached_info().state;
    let mut all = Vec::new();
    for sequence in state.first_sequence.max(1)..=state.last_sequence {
        // What was replaced is gone.
        let Ok(message) = stream.get_raw_message(sequence).await else { continue };
        all.push(Keyring::wrapped_under(&message.payload).unwrap().to_owned());
    }
    all
}

/// New keys last, then first, then alone; what was sealed at the beginning can be read at the end.
#[tokio::test]
async fn keys_are_rotated_under_load_without_a_refused_callback_or_an_unreadable_result() {
    let todays = Build::default();
    let fleet = two_of_each(todays.clone()).await;
    let load = callers(&fleet, "rotation");
    let (new, new_token) = (new_key("k2").await, new_key("t2").await);

    all_are_told(&fleet, "PROOFLINE_KEYS", &format!("{KEYS},{new}")).await;
    all_are_told(&fleet, "PROOFLINE_TOKEN_KEYS", &format!("{TOKEN_KEYS},{new_token}")).await;
    replace_all(&fleet, &load, &todays).await;
    all_are_told(&fleet, "PROOFLINE_KEYS", &format!("{new},{KEYS}")).await;
    all_are_told(&fleet, "PROOFLINE_TOKEN_KEYS", &format!("{new_token},{TOKEN_KEYS}")).await;
    replace_all(&fleet, &load, &todays).await;
    let rewrapped = rewraps(&fleet, &format!("{new},{KEYS}"), &[]).await.worked();
    all_are_told(&fleet, "PROOFLINE_KEYS", &new).await;
    replace_all(&fleet, &load, &todays).await;
    let ids = ids_of(&load);
    let report = settle(&fleet, load).await;

    report.assert_unnoticed("key-rotation");
    assert!(rewrapped.contains("data keys under seal1 were wrapped anew under k2."), "{rewrapped}");
    assert!(rewrapped.contains("No data key needs seal1 any more"), "{rewrapped}");
    let under = wrapped_under(&fleet).await;
    assert!(under.len() >= ids.len() && under.iter().all(|key| key == "k2"), "{under:?}");
    for id in ids {
        let path = format!("/v1/verifications/{id}/result");
        fleet.caller().get(&path).ask().await.is(200);
    }
    for member in fleet.all(RECEIVER) {
        assert!(!member.log().contains("not authentic"), "{}", member.log());
    }
}

/// Those that were answered so far.
fn ids_of(load: &Load) -> Vec<String> {
    load.so_far().ids().into_iter().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn a_rewrap_can_be_tried_first_and_says_what_it_cannot_open() {
    let fleet = Plan::new().start().await;
    let journey = Journey::new(fleet.caller(), "k", serde_json::json!({}));
    let v = journey.begins().await;
    journey.is_submitted(&v).await;
    journey.ends(&v).await;
    let new = new_key("k2").await;
    let old = everything_in(&fleet.nats, "KV_DATA_KEYS").await;

    let tried = rewraps(&fleet, &format!("{new},{KEYS}"), &["--dry-run"]).await.worked();
    let without = rewraps(&fleet, &new, &[]).await;

    assert!(tried.contains("1 data keys under seal1 would be wrapped anew under k2."), "{tried}");
    assert!(!tried.contains("any more"), "{tried}");
    let complaint = without.failed();
    let unknown = format!("the data key of acme.{} cannot be opened: the key \"seal1\"", v.id);
    assert!(complaint.contains(&unknown) && complaint.contains("1 data keys"), "{complaint}");
    assert_eq!(everything_in(&fleet.nats, "KV_DATA_KEYS").await, old, "nothing was written");

    rewraps(&fleet, &format!("{new},{KEYS}"), &[]).await.worked();
    let again = rewraps(&fleet, &format!("{new},{KEYS}"), &[]).await.worked();
    assert!(again.starts_with("1 data keys are under k2.\n"), "{again}");
    assert_eq!(wrapped_under(&fleet).await, ["k2"]);
}

#[tokio::test]
async fn a_new_key_is_fit_for_use_and_printed_alone() {
    let (one, other) = (type_with(&[], &["keys", "new"]).await, new_key("k2").await);
    let one = one.worked();
    for key in [one.trim(), &other] {
        assert_eq!(Keyring::parse(key).unwrap().ids().count(), 1);
    }
    assert_eq!(one.lines().count(), 1);
    let unfit = type_with(&[], &["keys", "new", "--id", "K 2"]).await.failed();
    assert!(unfit.contains("1 to 16 of a-z and 0-9"), "{unfit}");
}
