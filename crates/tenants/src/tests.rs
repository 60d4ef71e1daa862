use std::fs;

use proofline_settings::{Reader, Source};
use secrecy::ExposeSecret;

use crate::Tenants;

/// SHA-256 of `acme-key`, `acme-next` and `demo-key`.
const ACME_KEY: &str = "afacab3575137afa4e00d9cbcafcb14c9ae25f779d964eb0ea5b2c4eb5dfd163";
const ACME_NEXT: &str = "cc8f7013e0f6e1184597af19e1631219c8ebb64832333aeb806f0a62cbd81790";
const DEMO_KEY: &str = "c48a01f49fd0f2cc404bc3cbbc80e91457a3d41bb429a695243de4c61794155c";

fn two_tenants() -> String {
    format!(
        r#"
        [tenants.acme]
        api_key_sha256 = ["{ACME_KEY}", "{ACME_NEXT}"]
        web_origins = ["https://app.acme.example"]
        subscribers = ["billing", "crm"]
        events_secret_file = "/run/secrets/acme-events"

        [tenants.demo]
        api_key_sha256 = ["{DEMO_KEY}"]
        "#
    )
}

fn faults(text: &str) -> Vec<String> {
    Tenants::parse(text).unwrap_err()
}

#[test]
fn a_good_file_is_read() {
    let tenants = Tenants::parse(&two_tenants()).unwrap();

    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    assert_eq!(names, ["acme", "demo"]);
    let acme = tenants.get("acme").unwrap();
    assert!(acme.lists_origin("https://app.acme.example"));
    assert!(acme.lists_origin_of(&"https://app.acme.example/back".parse().unwrap()));
    assert!(!acme.lists_origin_of(&"https://elsewhere.example/".parse().unwrap()));
    assert_eq!(
        acme.events_secret_file.as_ref().unwrap().to_str(),
        Some("/run/secrets/acme-events")
    );
    assert!(acme.assure.is_none());
    let durables: Vec<String> = tenants.durable_names().map(|(name, _)| name).collect();
    assert_eq!(durables, ["acme-billing", "acme-crm"]);
}

#[test]
fn a_key_finds_its_tenant_and_no_other_text_does() {
    let tenants = Tenants::parse(&two_tenants()).unwrap();
    let found = |key| tenants.authenticate(key).map(|tenant| tenant.name.as_str());

    assert_eq!(found("acme-key"), Some("acme"));
    assert_eq!(found("acme-next"), Some("acme"));
    assert_eq!(found("demo-key"), Some("demo"));
    for key in ["", "acme-key ", "Acme-key", ACME_KEY] {
        assert_eq!(found(key), None, "{key:?}");
    }
}

#[test]
fn every_fault_is_found_at_once() {
    let text = format!(
        r#"
        surplus = 1

        [tenants.Acme]
        api_keys = ["planted-secret"]

        [tenants.b]
        api_key_sha256 = ["{ACME_KEY}", "abc", 7]
        web_origins = ["https://b.example/path", "http://b.example"]
        subscribers = ["Billing"]
        events_secret_file = ""

        [tenants.b.assure]
        base_url = "https://me:planted-secret@api.example"
        client_id = 5
        client_secret = "planted-secret"

        [tenants.c]
        api_key_sha256 = ["{ACME_KEY}"]
        web_origins = "https://c.example"
        assure = true
        "#
    );

    let mut faults = faults(&text);
    faults.sort();

    assert_eq!(
        faults,
        [
            "surplus: is not known",
            "tenants.Acme.api_key_sha256: is required ([] lets nobody in)",
            "tenants.Acme.api_keys: is not known",
            "tenants.Acme: must be 1 to 40 of a-z, 0-9 and -",
            "tenants.b.api_key_sha256[1]: must be the SHA-256 of an API key, 64 hexadecimal digits",
            "tenants.b.api_key_sha256[2]: must be a text",
            "tenants.b.assure.base_url: must have no user name or password",
            "tenants.b.assure.client_id: must be a text, and not empty",
            "tenants.b.assure.client_secret: is not known",
            "tenants.b.assure.client_secret_file: is required",
            "tenants.b.assure.token_url: is required",
            "tenants.b.events_secret_file: must be a text, and not empty",
            "tenants.b.subscribers[0]: must be 1 to 40 of a-z, 0-9 and -",
            "tenants.b.web_origins[0]: must be a scheme and a host, such as https://app.example, \
             and nothing more",
            "tenants.b.web_origins[1]: must be https (http is for loopback only)",
            "tenants.c.api_key_sha256: has a key of b too",
            "tenants.c.assure: must be a table",
            "tenants.c.web_origins: must be a list of texts",
        ]
    );
}

#[test]
fn durable_names_that_collide_are_refused() {
    let text = r#"
        [tenants.a]
        api_key_sha256 = []
        subscribers = ["b-c", "x", "x"]
        [tenants.a-b]
        api_key_sha256 = []
        subscribers = ["c"]
    "#;
    assert_eq!(
        faults(text),
        [
            "tenants.a.subscribers: lists one name twice (a-x)",
            "tenants.a-b.subscribers: the consumer a-b-c would be that of a too",
        ]
    );
}

#[test]
fn a_file_without_tenants_or_without_form_is_refused() {
    assert_eq!(faults(""), ["tenants: holds no tenant"]);
    assert_eq!(faults("[tenants]"), ["tenants: holds no tenant"]);
    let broken = faults("[tenants.a]\nsecret = 'planted-secret");
    assert!(broken.len() == 1 && broken[0].starts_with("line 2: "), "{broken:?}");
    assert!(!broken[0].contains("planted-secret"), "{broken:?}");
}

#[test]
fn an_account_has_its_secret_from_a_file_and_shows_it_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    let file = directory.path().join("tenants.toml");
    fs::write(&secret, "planted-secret\n").unwrap();
    fs::write(
        &file,
        format!(
            r#"
            [tenants.acme]
            api_key_sha256 = ["{ACME_KEY}"]
            events_secret_file = "{path}"
            [tenants.acme.assure]
            base_url = "https://api.example/assure"
            token_url = "https://api.example/token"
            client_id = "id"
            client_secret_file = "{path}"
            "#,
            path = secret.display()
        ),
    )
    .unwrap();

    let tenants = Tenants::load(&file).unwrap();

    let acme = tenants.get("acme").unwrap();
    let account = acme.assure.as_ref().unwrap();
    assert_eq!(account.client_secret.expose_secret(), "planted-secret");
    assert_eq!(account.base_url.as_str(), "https://api.example/assure");
    assert_eq!(account.scope, "signicat-api");
    assert_eq!(acme.events_secret().unwrap().unwrap().expose_secret(), "planted-secret");
    let shown = format!("{tenants:?}");
    assert!(!shown.contains("planted-secret") && !shown.contains(&ACME_KEY[..8]), "{shown}");

    fs::remove_file(&secret).unwrap();
    let faults = Tenants::load(&file).unwrap_err();
    let detail = "names a file that cannot be read (entity not found)";
    assert_eq!(faults, [format!("tenants.acme.assure.client_secret_file: {detail}")]);
    // Who calls no Assure starts all the same.
    let source = Source::from_pairs([("PROOFLINE_TENANTS_FILE", &file)]);
    let mut reader = Reader::new(&source);
    let tenants = Tenants::read_without_accounts(&mut reader);
    let tenants = reader.finish(tenants).unwrap();
    assert!(tenants.get("acme").unwrap().assure.is_none());
    assert!(tenants.get("acme").unwrap().events_secret().is_err());
}

#[test]
fn every_fault_of_the_file_is_one_of_the_setting() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tenants.toml");
    fs::write(&file, "a = 1\nb = 2\n").unwrap();

    for (path, count) in [(file, 3), (directory.path().join("absent"), 1)] {
        let mut reader = Reader::new(&Source::from_pairs([("PROOFLINE_TENANTS_FILE", path)]));
        let tenants = Tenants::read(&mut reader);
        let faults = reader.finish(tenants).unwrap_err();
        assert_eq!(faults.iter().count(), count, "{faults}");
        assert!(faults.iter().all(|fault| fault.name == "PROOFLINE_TENANTS_FILE"), "{faults}");
    }
}

#[test]
fn the_setting_is_documented() {
    let mut reader = Reader::describing();
    assert!(Tenants::read(&mut reader).is_none());
    assert!(reader.help().contains("PROOFLINE_TENANTS_FILE  required (path)"));
}
