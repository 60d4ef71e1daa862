use serde_json::Value;

use crate::harness::Simulator;

#[tokio::test]
async fn each_document_says_what_it_is() {
    let simulator = Simulator::start().await;

    for (provider, numbered) in [
        ("onfido", false),
        ("signicatpaper", false),
        ("signicatpictureid", true),
        ("signicatvideoid", true),
    ] {
        let path = format!("/assure/{provider}/document-types");
        let list = simulator.get(&path).await.is(200);
        for item in list.as_array().unwrap() {
            assert_eq!(item["country"].as_str().unwrap().len(), 3, "{item}");
            for member in ["countryName", "type", "name"] {
                assert!(item[member].is_string(), "{item}");
            }
            assert_eq!(item["id"].is_i64(), numbered, "{provider}: {item}");
            // Paper compares with a machine-readable zone.
            assert!(item["icao"].is_string() || provider != "signicatpaper", "{item}");
        }
    }
}

#[tokio::test]
async fn other_providers_have_no_list() {
    let simulator = Simulator::start().await;

    for provider in ["readid", "facetec", "webid", "connect:idin"] {
        let path = format!("/assure/{provider}/document-types");
        assert_eq!(simulator.get(&path).await.is(204), Value::Null);
    }
}
