//! Whoever may not know what there is can't tell it from any answer, whatever they send.

use serde_json::json;
use time::Duration;

use super::{
    route::Route,
    scene::{
        Sender, answers, callback, of_a_verification, of_every_class, return_token, signature,
        stage, unknown_id, way_back, webhook,
    },
};
use crate::harness::{ACME_KEY, OTHER_KEY, Stage, Verification};

/// What can be seen of answers, but for their time.
fn seen(said: &str) -> String {
    said.split_inclusive('\n').filter(|line| !line.starts_with("date: ")).collect()
}

/// Whatever is sent to either, it is answered alike. The routes are in pairs, of what there is and
/// of what there is not.
async fn are_answered_alike(there: &[Route], not_there: &[Route]) {
    assert_eq!(there.len(), not_there.len());
    let asked = of_every_class(there).zip(of_every_class(not_there));
    let told = answers(asked.flat_map(|(one, other)| [one, other])).await;
    let mut compared = 0;
    for pair in told.chunks(2) {
        let [(what, one), (_, other)] = pair else { unreachable!("they are in pairs") };
        // A connection that is reset under one's hands loses what was said.
        if one.is_empty() || other.is_empty() {
            continue;
        }
        assert_eq!(seen(one), seen(other), "{what}");
        compared += 1;
    }
    assert!(compared > told.len() / 4, "{compared} of {} pairs compared", told.len() / 2);
}

fn with_proof(routes: Vec<Route>, proof: &str) -> Vec<Route> {
    routes.into_iter().map(|route| Route { proof: proof.to_owned(), ..route }).collect()
}

async fn a_verification(stage: &Stage) -> Verification {
    stage.acts().0.a_verification(json!({})).await
}

#[tokio::test]
async fn a_stranger_cannot_tell_a_verification_from_none() {
    let stage = stage().await;
    let v = a_verification(&stage).await;
    for key in [Some(OTHER_KEY), None] {
        let sender =
            |id: &str| key.map_or_else(|| Sender::nobody(id), |key| Sender::with_key(key, id));
        let there = of_a_verification(&stage, &sender(&v.id));
        let not_there = of_a_verification(&stage, &sender(&unknown_id()));
        are_answered_alike(&there, &not_there).await;
    }
    stage.caller.look_at(&v.id).send().await.unwrap().error_for_status().unwrap();
}

#[tokio::test]
async fn an_id_that_cannot_be_is_answered_as_one_that_is_another_tenants() {
    let stage = stage().await;
    let v = a_verification(&stage).await;
    let good = |routes: &[Route]| {
        let good =
            routes.iter().map(|route| (route.name.to_owned(), route.url.clone(), route.good()));
        good.collect::<Vec<_>>()
    };
    let theirs = good(&of_a_verification(&stage, &Sender::with_key(OTHER_KEY, &v.id)));
    let theirs = answers(theirs.into_iter()).await;
    for id in
        ["vrf_", "vrf_short", "x", "%00", "vrf_00000000000000000000000000000000000000000", "-1"]
    {
        let impossible = good(&of_a_verification(&stage, &Sender::with_key(OTHER_KEY, id)));
        let impossible = answers(impossible.into_iter()).await;
        for ((what, one), (_, other)) in theirs.iter().zip(&impossible) {
            assert!(!one.is_empty());
            assert_eq!(seen(one), seen(other), "{what}: {id}");
        }
    }
}

#[tokio::test]
async fn at_the_door_for_strangers_nothing_can_be_told_apart() {
    let stage = stage().await;
    let (given, when, _) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    let caught = when.a_callback_is_caught().await;
    let guessed_token = |token: &str| {
        let (key, rest) = token.split_once('.').unwrap();
        format!("{key}.{}", "A".repeat(rest.len()))
    };

    // A token of a verification there is, of one there is not, and none at all.
    let known = callback(&stage, &caught);
    let wrong = "authorization: Bearer guessed\r\n";
    let guessed =
        Route { path: format!("/callbacks/{}", guessed_token(&caught.token)), ..known.clone() };
    let there = with_proof(vec![known], wrong);
    are_answered_alike(&there, &with_proof(vec![guessed.clone()], wrong)).await;
    are_answered_alike(&there, &[guessed]).await;

    // A tenant there is, and one there is not.
    let known = webhook(&stage, &v.id);
    let unknown = Route { path: "/events/nope".to_owned(), ..known.clone() };
    let wrong = format!("x-signicat-signature: {}\r\n", signature(b"another body"));
    are_answered_alike(&with_proof(vec![known], &wrong), &[unknown]).await;

    // A way back whose time is over, one for something else, and none.
    let over = return_token(&v.id, -Duration::HOUR);
    let none = way_back(&stage, &guessed_token(&over));
    are_answered_alike(&[way_back(&stage, &over)], std::slice::from_ref(&none)).await;
    are_answered_alike(&[way_back(&stage, &caught.token)], &[none]).await;
}

#[tokio::test]
async fn an_upload_url_of_another_verification_tells_nothing_of_either() {
    let stage = stage().await;
    let (v, another) = (a_verification(&stage).await, a_verification(&stage).await);
    let token = another.upload_token("front");
    let with_token = |id: &str, token: &str| {
        let routes = of_a_verification(&stage, &Sender::nobody(id)).into_iter();
        let routes = routes.filter(|route| route.name == "upload");
        let routes =
            routes.map(|route| Route { path: format!("{}?token={token}", route.path), ..route });
        routes.collect::<Vec<_>>()
    };
    let guessed = "A".repeat(token.len());
    are_answered_alike(&with_token(&v.id, token), &with_token(&unknown_id(), token)).await;
    are_answered_alike(&with_token(&v.id, token), &with_token(&v.id, &guessed)).await;
    stage.caller.look_at(&v.id).bearer_auth(ACME_KEY).send().await.unwrap();
}
