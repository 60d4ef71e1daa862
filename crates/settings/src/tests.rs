use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use crate::{Faults, Reader, Source};

const PLANTED: &str = "hunter2-planted-secret";

#[derive(Debug)]
struct Everything {
    name: String,
    note: Option<String>,
    password: SecretString,
    spare: Option<SecretString>,
    grace: Duration,
    delay: Option<Duration>,
    size: u64,
    listen: std::net::SocketAddr,
    public: url::Url,
    file: PathBuf,
    extra: Option<PathBuf>,
    servers: Vec<String>,
    keys: usize,
}

fn read(r: &mut Reader) -> Option<Everything> {
    let name = r.text("PROOFLINE_NAME", None, "Its name.");
    let note = r.optional_text("PROOFLINE_NOTE", "A note.");
    let password = r.secret("PROOFLINE_PASSWORD", "The password.");
    let spare = r.optional_secret("PROOFLINE_SPARE", "Another one.");
    let grace = r.duration("PROOFLINE_GRACE", "5m", "How long to wait.");
    let delay = r.optional_duration("PROOFLINE_DELAY", "How long to hold back.");
    let size = r.integer("PROOFLINE_SIZE", 10_485_760, "bytes", 1..=100_000_000, "Largest image.");
    let listen = r.address("PROOFLINE_LISTEN", "127.0.0.1:8080", "Public HTTP.");
    let public = r.url("PROOFLINE_PUBLIC_URL", Some("http://127.0.0.1:8082"), "As others see it.");
    let file = r.path("PROOFLINE_FILE", None, "The file.");
    let extra = r.optional_path("PROOFLINE_EXTRA", "Another file.");
    let servers = r.parsed("PROOFLINE_SERVERS", Some("a,b"), "comma-separated", "Servers.", |t| {
        Ok::<_, String>(t.split(',').map(str::to_owned).collect())
    });
    let keys = r.parsed_secret("PROOFLINE_KEYS", "id:key", "Keys.", |secret| {
        let count = secret.expose_secret().split(',').count();
        if count < 3 { Ok(count) } else { Err("has too many keys") }
    });
    Some(Everything {
        name: name?,
        note: note?,
        password: password?,
        spare: spare?,
        grace: grace?,
        delay: delay?,
        size: size?,
        listen: listen?,
        public: public?,
        file: file?,
        extra: extra?,
        servers: servers?,
        keys: keys?,
    })
}

fn read_all(source: &Source) -> Result<Everything, Faults> {
    let mut reader = Reader::new(source);
    let value = read(&mut reader);
    reader.finish(value)
}

fn required() -> Source {
    Source::from_pairs([
        ("PROOFLINE_NAME", "n"),
        ("PROOFLINE_PASSWORD", PLANTED),
        ("PROOFLINE_FILE", "/f"),
        ("PROOFLINE_KEYS", "a:1"),
    ])
}

fn faults(source: &Source) -> Vec<(String, String)> {
    let faults = read_all(source).unwrap_err();
    faults.iter().map(|fault| (fault.name.clone(), fault.detail.clone())).collect()
}

#[test]
fn defaults_fill_what_is_not_required() {
    let all = read_all(&required()).unwrap();

    assert_eq!(all.name, "n");
    assert_eq!(all.note, None);
    assert_eq!(all.password.expose_secret(), PLANTED);
    assert!(all.spare.is_none());
    assert_eq!(all.grace, Duration::from_secs(300));
    assert_eq!(all.delay, None);
    assert_eq!(all.size, 10_485_760);
    assert_eq!(all.listen.port(), 8080);
    assert_eq!(all.public.as_str(), "http://127.0.0.1:8082/");
    assert_eq!(all.file, PathBuf::from("/f"));
    assert_eq!(all.extra, None);
    assert_eq!(all.servers, ["a", "b"]);
    assert_eq!(all.keys, 1);
}

#[test]
fn every_fault_is_told_at_once_by_name() {
    let source = Source::from_pairs([
        ("PROOFLINE_PASSWORD", ""),
        ("PROOFLINE_GRACE", "0s"),
        ("PROOFLINE_DELAY", "later"),
        ("PROOFLINE_SIZE", "many"),
        ("PROOFLINE_LISTEN", "localhost"),
        ("PROOFLINE_PUBLIC_URL", "ftp://host"),
        ("PROOFLINE_KEYS", "a,b,c"),
    ]);

    let message = read_all(&source).unwrap_err().to_string();

    assert_eq!(
        message,
        "wrong settings:\n  \
         PROOFLINE_NAME: is required\n  \
         PROOFLINE_PASSWORD: is required (or PROOFLINE_PASSWORD_FILE, the path of a file)\n  \
         PROOFLINE_GRACE: must be more than zero, not \"0s\"\n  \
         PROOFLINE_DELAY: must be an integer and one of ms, s, m, h, d (such as 90s), not \"later\"\n  \
         PROOFLINE_SIZE: must be an integer from 1 to 100000000, not \"many\"\n  \
         PROOFLINE_LISTEN: must be an IP address and a port, such as 0.0.0.0:8080, not \"localhost\"\n  \
         PROOFLINE_PUBLIC_URL: must be an http or https URL\n  \
         PROOFLINE_FILE: is required\n  \
         PROOFLINE_KEYS: has too many keys"
    );
}

#[test]
fn an_integer_outside_its_bounds_is_refused() {
    for value in ["0", "100000001", "-1", "1e3", "99999999999999999999999"] {
        let found = faults(&required().with("PROOFLINE_SIZE", value));
        assert_eq!(found[0].0, "PROOFLINE_SIZE", "{value}");
    }
}

#[test]
fn a_url_has_no_user_info_query_or_fragment_and_is_never_quoted() {
    for value in [
        "http://me:hunter2-planted-secret@host/",
        "http://host/?a=hunter2-planted-secret",
        "http://host/#hunter2-planted-secret",
        "hunter2-planted-secret",
    ] {
        let found = faults(&required().with("PROOFLINE_PUBLIC_URL", value));
        assert_eq!(found[0].0, "PROOFLINE_PUBLIC_URL");
        assert!(!found[0].1.contains(PLANTED), "{}", found[0].1);
    }
    let kept = read_all(&required().with("PROOFLINE_PUBLIC_URL", "https://host/prefix")).unwrap();
    assert_eq!(kept.public.as_str(), "https://host/prefix");
}

#[test]
fn a_long_value_is_quoted_shortened() {
    let found = faults(&required().with("PROOFLINE_GRACE", "ä".repeat(500)));
    assert!(found[0].1.contains(&"ä".repeat(60)));
    assert!(!found[0].1.contains(&"ä".repeat(61)));
}

#[test]
fn a_secret_comes_from_a_file_without_its_last_newline() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    std::fs::write(&path, " from a file \r\n").unwrap();

    let source = required().with("PROOFLINE_PASSWORD", "").with("PROOFLINE_PASSWORD_FILE", &path);
    let all = read_all(&source).unwrap();

    assert_eq!(all.password.expose_secret(), " from a file ");
}

#[test]
fn a_secret_given_twice_or_by_a_useless_file_is_a_fault() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let alone = required().with("PROOFLINE_PASSWORD", "");

    let both = faults(&required().with("PROOFLINE_PASSWORD_FILE", &empty));
    let useless = faults(&alone.clone().with("PROOFLINE_PASSWORD_FILE", &empty));
    let absent = faults(&alone.with("PROOFLINE_PASSWORD_FILE", PLANTED));

    let detail = "is set, and PROOFLINE_PASSWORD_FILE too: set one of them";
    assert_eq!(both, [("PROOFLINE_PASSWORD".to_owned(), detail.to_owned())]);
    assert_eq!(useless[0].1, "names an empty file");
    assert_eq!(absent[0].1, "names a file that cannot be read (entity not found)");
}

#[test]
fn secrets_show_in_no_debug_output() {
    let source = required().with("PROOFLINE_SPARE", PLANTED);
    let mut reader = Reader::new(&source);
    let all = read(&mut reader).unwrap();

    for shown in [format!("{source:?}"), format!("{reader:?}"), format!("{all:?}")] {
        assert!(!shown.contains(PLANTED), "{shown}");
    }
}

#[test]
fn a_value_that_is_not_unicode_is_a_fault() {
    use std::os::unix::ffi::OsStringExt;
    let broken = std::ffi::OsString::from_vec(vec![0xff, 0xfe]);
    let found = faults(&required().with("PROOFLINE_NOTE", broken));
    assert_eq!(found, [("PROOFLINE_NOTE".to_owned(), "is not UTF-8".to_owned())]);
}

#[test]
fn help_lists_every_setting_with_default_and_unit() {
    let mut reader = Reader::describing();
    assert!(read(&mut reader).is_none());
    let help = reader.help();

    for line in [
        "  PROOFLINE_NAME        required\n      Its name.\n",
        "  PROOFLINE_NOTE        default none\n      A note.\n",
        "  PROOFLINE_PASSWORD    required (secret, or PROOFLINE_PASSWORD_FILE)\n",
        "  PROOFLINE_SPARE       default none (secret, or PROOFLINE_SPARE_FILE)\n",
        "  PROOFLINE_GRACE       default 5m (integer and ms, s, m, h or d)\n",
        "  PROOFLINE_DELAY       default none (integer and ms, s, m, h or d)\n",
        "  PROOFLINE_SIZE        default 10485760 (bytes, 1 to 100000000)\n",
        "  PROOFLINE_LISTEN      default 127.0.0.1:8080 (IP address:port)\n",
        "  PROOFLINE_PUBLIC_URL  default http://127.0.0.1:8082 (http or https URL)\n",
        "  PROOFLINE_FILE        required (path)\n",
        "  PROOFLINE_EXTRA       default none (path)\n",
        "  PROOFLINE_SERVERS     default a,b (comma-separated)\n",
        "  PROOFLINE_KEYS        required (id:key; secret, or PROOFLINE_KEYS_FILE)\n",
    ] {
        assert!(help.contains(line), "{line}\nis not in\n{help}");
    }
}

#[test]
fn descriptions_tell_programs_what_help_tells_people() {
    let mut reader = Reader::describing();
    let _ = read(&mut reader);
    let of = |name: &str| reader.descriptions().iter().find(|d| d.name == name).unwrap();

    let size = of("PROOFLINE_SIZE");
    assert_eq!(size.default.as_deref(), Some("10485760"));
    assert_eq!(size.unit, "bytes, 1 to 100000000");
    assert_eq!((size.required, size.secret, size.file_name()), (false, false, None));

    let keys = of("PROOFLINE_KEYS");
    assert_eq!((keys.default.as_deref(), keys.unit.as_str()), (None, "id:key"));
    assert_eq!((keys.required, keys.secret), (true, true));
    assert_eq!(keys.file_name().as_deref(), Some("PROOFLINE_KEYS_FILE"));
}

#[test]
fn a_variable_of_ours_that_nobody_asked_for_is_unknown() {
    let source = required()
        .with("PROOFLINE_GRCAE", "1s")
        .with("ASSURE_BASE", "x")
        .with("ASSURE_EMPTY", "")
        .with("PROOFLINE_SPARE_FILE", "x")
        .with("HOME", "/");
    let mut reader = Reader::new(&source);
    let _ = read(&mut reader);
    assert_eq!(reader.unknown(), ["ASSURE_BASE", "PROOFLINE_GRCAE"]);
}

#[test]
fn two_readings_of_one_setting_tell_its_fault_once() {
    let source = Source::from_pairs([("PROOFLINE_GRACE", "soon")]);
    let mut reader = Reader::new(&source);
    for _ in 0..2 {
        assert!(reader.duration("PROOFLINE_GRACE", "5m", "How long to wait.").is_none());
    }
    reader.fault("PROOFLINE_OTHER", "must be at least PROOFLINE_GRACE");
    let faults = reader.finish(Some(())).unwrap_err();
    assert_eq!(faults.iter().count(), 2);
}

#[test]
fn the_first_source_wins_unless_its_value_is_empty() {
    let first = Source::from_pairs([("A", "1"), ("B", "")]);
    let both = first.or(Source::from_pairs([("A", "2"), ("B", "2"), ("C", "2")]));
    assert_eq!(["A", "B", "C"].map(|name| both.get(name).unwrap()), ["1", "2", "2"]);
}
