use std::time::Duration;

use assure_simulator::Settings;
use serde_json::{Value, json};

use crate::browser::pairs;
use crate::harness::{Process, Receiver, Simulator, quick};

fn idin(tags: &[&str]) -> Value {
    json!({
        "provider": "connect:idin", "redirectUrl": "https://app.example/return",
        "eventTags": tags,
    })
}

async fn log_in(simulator: &Simulator, tags: &[&str]) -> (Process, String) {
    let (process, answer) = simulator.created(idin(tags)).await;
    (process, answer["redirectUrl"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_end_user_logs_in_and_comes_back_to_a_final_result() {
    let simulator = Simulator::start().await;
    let (process, page) = log_in(&simulator, &[]).await;
    assert!(page.starts_with(&format!("{}/connect/", simulator.url)), "{page}");

    let shown = simulator.open(&page).await.is(200);
    let shown = shown.says("<h1>Log in with idin (simulated)</h1>");
    assert_eq!(shown.choices(), ["accepted", "rejected", "canceled", "failed", "inconclusive"]);
    assert_eq!(simulator.status_of(&process).await, "pending");

    let (address, parameters) = simulator.choose(&page, "accepted").await.redirect();

    assert_eq!((address.host_str(), address.path()), (Some("app.example"), "/return"));
    let expected = [
        ("dossierId", process.dossier.as_str()),
        ("processId", process.id.as_str()),
        ("status", "accepted"),
    ];
    assert_eq!(parameters, pairs(&expected));
    assert_eq!(simulator.status_of(&process).await, "accepted");
}

#[tokio::test]
async fn every_choice_has_its_status() {
    let simulator = Simulator::start().await;

    for word in ["accepted", "rejected", "canceled", "failed", "inconclusive"] {
        let (process, page) = log_in(&simulator, &[]).await;
        let (_, parameters) = simulator.choose(&page, word).await.redirect();
        assert_eq!(parameters[2].1, word);
        assert_eq!(simulator.status_of(&process).await, word);
    }
    let (process, page) = log_in(&simulator, &[]).await;
    for word in ["", "pending", "again", "acepted"] {
        simulator.choose(&page, word).await.is(400);
    }
    assert_eq!(simulator.status_of(&process).await, "pending");
}

#[tokio::test]
async fn the_scripted_choice_comes_first_and_may_be_taken_unseen() {
    let simulator = Simulator::start().await;

    let (_, page) = log_in(&simulator, &["simulate:canceled"]).await;
    assert_eq!(simulator.open(&page).await.choices()[0], "canceled");
    assert_eq!(simulator.choose(&page, "as-scripted").await.redirect().1[2].1, "canceled");

    let (process, page) = log_in(&simulator, &["simulate:status=unheard-of"]).await;
    assert_eq!(simulator.open(&page).await.choices()[0], "as-scripted");
    simulator.choose(&page, "as-scripted").await.is(303);
    assert_eq!(simulator.status_of(&process).await, "unheard-of");
}

#[tokio::test]
async fn parameters_are_appended_to_those_that_are_there() {
    let simulator = Simulator::start().await;
    let mut body = idin(&[]);
    body["redirectUrl"] = json!("https://app.example/return?state=a%20b#part");
    let (process, answer) = simulator.created(body).await;

    let shown = simulator.choose(answer["redirectUrl"].as_str().unwrap(), "rejected").await;

    let (dossier, id) = (&process.dossier, &process.id);
    let expected = format!(
        "https://app.example/return?state=a%20b\
         &dossierId={dossier}&processId={id}&status=rejected#part"
    );
    assert_eq!(shown.is(303).location, Some(expected));
}

#[tokio::test]
async fn a_page_is_good_for_one_choice() {
    let simulator = Simulator::start().await;
    let (process, page) = log_in(&simulator, &[]).await;
    simulator.choose(&page, "canceled").await.is(303);

    let again = simulator.open(&page).await.is(410).says("This page is used");
    again.says("&amp;status=canceled\">Back to the application</a>");
    simulator.choose(&page, "accepted").await.is(410);
    assert_eq!(simulator.status_of(&process).await, "canceled");

    let (process, page) = log_in(&simulator, &[]).await;
    simulator.post(&format!("{}/fail", process.path()), json!({})).await.is(200);
    simulator.open(&page).await.is(410).says("The process has ended: failed.");
    simulator.delete(&process.path()).await.is(204);
    simulator.open(&page).await.is(404);
    simulator.open(&page.replace("/connect/", "/webid/")).await.is(404);
}

#[tokio::test]
async fn the_callback_goes_out_as_scripted() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;
    let mut body = idin(&["simulate:callback-lie=accepted"]);
    body["notificationUrl"] = json!(receiver.url);
    let (_, answer) = simulator.created(body).await;

    simulator.choose(answer["redirectUrl"].as_str().unwrap(), "rejected").await.is(303);

    assert_eq!(receiver.next().await.body["status"], "accepted");
}

#[tokio::test]
async fn the_result_may_lag_behind_the_return() {
    let settings = Settings { processing_time: Duration::from_secs(3600), ..quick() };
    let simulator = Simulator::start_with(settings).await;

    let (process, page) = log_in(&simulator, &["simulate:return-first"]).await;
    let (_, parameters) = simulator.choose(&page, "rejected").await.redirect();
    assert_eq!(parameters[2].1, "rejected");
    assert_eq!(simulator.status_of(&process).await, "processing");
    let finish = format!("/simulator/processes/{}/finish", process.id);
    simulator.post(&finish, json!({})).await.is(200);
    assert_eq!(simulator.status_of(&process).await, "rejected");

    let tags = ["simulate:return-first", "simulate:processing-time=10ms"];
    let (process, page) = log_in(&simulator, &tags).await;
    simulator.choose(&page, "failed").await.is(303);
    simulator.reaches(&process, "failed").await;
}

#[tokio::test]
async fn the_address_may_have_another_name() {
    let simulator = Simulator::start().await;

    let (_, answer) = simulator.created(idin(&["simulate:address-member=url"])).await;
    assert!(answer["url"].is_string() && answer["redirectUrl"].is_null(), "{answer}");

    let (process, answer) = simulator.created(idin(&["simulate:address-member=both"])).await;
    assert_eq!(answer["url"], answer["redirectUrl"]);
    let state = simulator.state_of(&process).await;
    assert_eq!(state["pages"], json!([answer["url"]]));
}

#[tokio::test]
async fn an_address_must_be_one_and_pages_can_live_elsewhere() {
    let public = "https://simulator.example/assure-pages/".parse().unwrap();
    let settings = Settings { public_url: Some(public), ..quick() };
    let simulator = Simulator::start_with(settings).await;

    let (_, page) = log_in(&simulator, &[]).await;
    assert!(page.starts_with("https://simulator.example/assure-pages/connect/"), "{page}");

    let dossier = simulator.dossier().await;
    for address in ["", "/return", "javascript:alert(1)"] {
        let mut body = idin(&[]);
        body["redirectUrl"] = json!(address);
        let path = format!("/assure/dossiers/{dossier}/processes");
        simulator.post(&path, body).await.is(400);
    }
}
