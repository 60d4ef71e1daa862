use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{JPEG, PNG, Process, Simulator, data_url};
use crate::providers::{each_provider, with_tags};

#[tokio::test]
async fn a_video_comes_from_providers_that_take_one() {
    let simulator = Simulator::start().await;

    for (body, has_video) in [
        (json!({"provider": "signicatvideoid"}), true),
        (json!({"provider": "onfido", "processType": "documentVideo"}), true),
        (json!({"provider": "onfido"}), false),
        (json!({"provider": "readid"}), false),
    ] {
        let process = simulator.process(body.clone()).await;
        let before = fetch(&simulator, &process, "video").await;
        simulator.finish(&process).await;
        let after = fetch(&simulator, &process, "video").await;

        assert_eq!((before.0, after.0), if has_video { (404, 200) } else { (400, 400) }, "{body}");
        if has_video {
            assert_eq!(after.1, "video/mp4");
            assert_eq!(&after.2[4..8], b"ftyp");
        }
    }
    let canceled = with_tags(json!({"provider": "signicatvideoid"}), &["canceled"]);
    let canceled = simulator.process(canceled).await;
    simulator.finish(&canceled).await;
    assert_eq!(fetch(&simulator, &canceled, "video").await.0, 404);
}

#[tokio::test]
async fn the_download_holds_data_and_media_once_there_is_a_result() {
    let simulator = Simulator::start().await;
    let process = json!({
        "provider": "onfido", "documentType": "passport", "eventTags": ["simulate:rejected"],
    });
    let process = simulator.process(process).await;
    let images = json!({"front": data_url(JPEG), "selfie": data_url(PNG)});
    simulator.post(&process.images(), images).await.is(201);

    assert_eq!(fetch(&simulator, &process, "download").await.0, 204);
    simulator.finish(&process).await;

    let (status, media_type, archive) = fetch(&simulator, &process, "download").await;
    assert_eq!((status, media_type.as_str()), (200, "application/zip"));
    let mut entries = unpack(&archive);
    assert_eq!(entries.remove("front.jpg").as_deref(), Some(JPEG));
    assert_eq!(entries.remove("selfie.png").as_deref(), Some(PNG));
    let data: Value = serde_json::from_slice(&entries.remove("data.json").unwrap()).unwrap();
    let result = simulator.get(&process.path()).await.is(200);
    assert_eq!(data, result["providerSpecific"]);
    assert!(entries.is_empty(), "{:?}", entries.keys());
}

#[tokio::test]
async fn every_provider_has_a_download_whatever_the_outcome() {
    let simulator = Simulator::start().await;

    for (name, body) in each_provider() {
        for outcome in ["accepted", "canceled"] {
            let process = simulator.process(with_tags(body.clone(), &[outcome])).await;
            simulator.finish(&process).await;
            let (status, _, archive) = fetch(&simulator, &process, "download").await;
            assert_eq!(status, 200, "{name}");
            assert!(unpack(&archive).contains_key("data.json"), "{name}");
        }
    }
}

#[tokio::test]
async fn timestamps_come_with_the_video_that_has_some() {
    let simulator = Simulator::start().await;
    let video = simulator.process(json!({"provider": "signicatvideoid"})).await;
    let chip = simulator.process(json!({"provider": "readid"})).await;
    simulator.finish(&video).await;
    simulator.finish(&chip).await;

    let (_, _, archive) = fetch(&simulator, &video, "download?includeTimestamps=true").await;

    let entries = unpack(&archive);
    let names: Vec<_> = entries.keys().map(String::as_str).collect();
    let expected =
        ["data.json", "front.png", "portrait.png", "selfie.png", "timestamps.json", "video.mp4"];
    assert_eq!(names, expected);
    assert_eq!(fetch(&simulator, &chip, "download?includeTimestamps=true").await.0, 404);
    assert_eq!(fetch(&simulator, &chip, "download?includeTimestamps=false").await.0, 200);
}

#[tokio::test]
async fn only_readid_has_a_raw_result() {
    let simulator = Simulator::start().await;
    let chip = simulator.process(json!({"provider": "readid"})).await;
    let other = simulator.process(json!({"provider": "signicatvideoid"})).await;

    assert_eq!(fetch(&simulator, &other, "raw").await.0, 404);
    assert_eq!(fetch(&simulator, &chip, "raw").await.0, 204);
    simulator.finish(&chip).await;

    let raw = simulator.get(&format!("{}/raw", chip.path())).await.is(200);
    let identity = &raw["consolidatedIdentityData"];
    assert_eq!(identity["chipVerification"], "SUCCEEDED");
    assert_eq!(identity["dateOfBirth"], "900101");
    assert!(identity["dateOfBirthSource"].is_string());
}

#[tokio::test]
async fn what_an_sdk_took_can_be_fetched_at_the_end() {
    let simulator = Simulator::start().await;

    for provider in ["signicatvideoid", "readid"] {
        let process = simulator.process(json!({"provider": provider})).await;
        assert_eq!(fetch(&simulator, &process, "images?depiction=portrait").await.0, 404);
        simulator.finish(&process).await;
        let (status, media_type, image) =
            fetch(&simulator, &process, "images?depiction=portrait").await;
        assert_eq!((status, media_type.as_str()), (200, "application/octet-stream"));
        assert!(image.starts_with(b"\x89PNG"), "{provider}");
        assert_eq!(fetch(&simulator, &process, "images?depiction=back").await.0, 404);
    }
    let canceled = with_tags(json!({"provider": "readid"}), &["canceled"]);
    let canceled = simulator.process(canceled).await;
    simulator.finish(&canceled).await;
    assert_eq!(fetch(&simulator, &canceled, "images?depiction=portrait").await.0, 404);
}

#[tokio::test]
async fn images_that_were_to_be_redacted_are_given_only_if_all_of_it_was_done() {
    let simulator = Simulator::start().await;

    for (redact, outcome, status) in [
        (json!(["photo"]), "accepted", 200),
        (json!(["photo", "signature"]), "accepted", 403),
        (json!(["photo"]), "rejected", 403),
        (json!([]), "rejected", 200),
    ] {
        let mut paper = json!({
            "provider": "signicatpaper", "documentType": "identityCard", "documentCountry": "NLD",
        });
        if redact != json!([]) {
            paper["redact"] = redact;
        }
        let process = simulator.process(with_tags(paper, &[outcome])).await;
        simulator.post(&process.images(), json!({"front": data_url(JPEG)})).await.is(201);
        simulator.finish(&process).await;

        assert_eq!(fetch(&simulator, &process, "images?depiction=front").await.0, status);
        let (_, _, archive) = fetch(&simulator, &process, "download").await;
        assert_eq!(unpack(&archive).contains_key("front.jpg"), status == 200);
    }
}

#[tokio::test]
async fn media_calls_have_names_of_their_own() {
    let simulator = Simulator::start().await;
    let process = simulator.process(json!({"provider": "readid"})).await;

    for last in ["video", "download", "raw"] {
        fetch(&simulator, &process, last).await;
    }

    let counts = simulator.get("/simulator/calls").await.is(200)["counts"].take();
    for name in ["getVideo", "download", "getRaw"] {
        assert_eq!(counts[name], 1, "{counts}");
    }
}

/// Status, media type and bytes.
async fn fetch(simulator: &Simulator, process: &Process, last: &str) -> (u16, String, Vec<u8>) {
    let path = format!("{}/{last}", process.path());
    let response = simulator.request(Method::GET, &path).send().await.unwrap();
    let status = response.status().as_u16();
    let media_type = response.headers().get("content-type");
    let media_type = media_type.map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    (status, media_type, response.bytes().await.unwrap().to_vec())
}

/// The entries of a zip that only stores, found by its directory.
fn unpack(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let short = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    let long = |at: usize| short(at) + (short(at + 2) << 16);
    let end = archive.len() - 22;
    let mut at = long(end + 16);
    let entries = (0..short(end + 10)).map(|_| {
        let (size, name_length, entry) = (long(at + 24), short(at + 28), long(at + 42));
        let name = &archive[at + 46..at + 46 + name_length];
        let content = entry + 30 + name_length;
        at += 46 + name_length;
        let name = String::from_utf8(name.to_vec()).unwrap();
        (name, archive[content..content + size].to_vec())
    });
    entries.collect()
}
