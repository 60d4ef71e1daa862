use std::time::Duration;

use proofline_broker::{Configuration, MAX_PAYLOAD_BYTES, Options, Server};

use crate::{facts_stream, publish, stored};

fn in_dir(dir: &tempfile::TempDir) -> Options {
    Options { dir: dir.path().join("broker"), ..Options::default() }
}

#[tokio::test]
async fn a_started_server_stores_messages_and_takes_large_ones() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(in_dir(&dir)).await.unwrap();

    let context = facts_stream(&server.url(), 1).await;
    publish(&context, "first").await;

    assert_eq!(stored(&context).await, 1);
    let client = async_nats::connect(server.url()).await.unwrap();
    assert_eq!(client.server_info().max_payload, MAX_PAYLOAD_BYTES);
    assert!(server.monitoring_url().starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn a_restarted_server_has_the_same_port_and_data() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(in_dir(&dir)).await.unwrap();
    let (port, first_pid) = (server.port(), server.pid());
    let context = facts_stream(&server.url(), 1).await;
    publish(&context, "before the stop").await;

    server.restart().await.unwrap();
    publish(&context, "before the kill").await;
    server.kill().await.unwrap();
    assert_eq!(server.pid(), None);
    server.restart().await.unwrap();

    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), first_pid);
    assert_eq!(stored(&context).await, 2);
}

#[tokio::test]
async fn a_given_port_is_used_and_is_free_after_a_drop() {
    let dir = tempfile::tempdir().unwrap();
    let first = Server::start(in_dir(&dir)).await.unwrap();
    let port = first.port();
    let taken = tempfile::tempdir().unwrap();
    let same_port = || Options { port: Some(port), ..in_dir(&taken) };

    let refused = Server::start(same_port()).await.unwrap_err().to_string();
    assert!(refused.contains("address already in use"), "{refused}");

    drop(first);
    let second = Server::start(same_port()).await.unwrap();
    assert_eq!(second.port(), port);
}

#[tokio::test]
async fn two_servers_never_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = Server::start(in_dir(&dir)).await.unwrap();

    let refused = Server::start(in_dir(&dir)).await.unwrap_err().to_string();

    let owner = first.pid().unwrap().to_string();
    assert!(refused.contains("in use") && refused.contains(&owner), "{refused}");
}

#[tokio::test]
async fn a_faulty_configuration_is_reported_in_the_servers_words() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { extra: "jetstrem: true".into(), ..in_dir(&dir) };

    let refused = Server::start(options).await.unwrap_err().to_string();

    assert!(refused.contains("unknown field \"jetstrem\""), "{refused}");
}

#[tokio::test]
async fn extra_configuration_and_syncing_reach_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        sync_always: true,
        extra: "authorization { user: someone, password: something }".into(),
        ..in_dir(&dir)
    };
    let mut server = Server::start(options).await.unwrap();

    assert!(async_nats::connect(server.url()).await.is_err());
    let login =
        async_nats::ConnectOptions::with_user_and_password("someone".into(), "something".into());
    let client = login.connect(server.url()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), client.flush()).await.unwrap().unwrap();
    server.stop().await.unwrap();
    assert_eq!(server.pid(), None);
}

#[tokio::test]
async fn a_deployments_own_file_is_used_as_it_is_and_told_where_to_listen() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.conf");
    let text = "server_name: $NATS_SERVER_NAME\nlisten: $NATS_LISTEN\nhttp: $NATS_MONITORING_LISTEN\n\
        jetstream { store_dir: $NATS_STORE_DIR }\nauthorization { token: $TOKEN }\n";
    std::fs::write(&file, text).unwrap();
    let configuration = Configuration {
        file,
        environment: vec![("TOKEN".to_owned(), "planted".to_owned())],
        ..Configuration::default()
    };
    let options = Options { configuration: Some(configuration), ..in_dir(&dir) };
    assert!(!format!("{options:?}").contains("planted"));

    let server = Server::start(options).await.unwrap();

    assert!(async_nats::connect(server.url()).await.is_err(), "the file asks for a token");
    let login = async_nats::ConnectOptions::with_token("planted".to_owned());
    login.connect(server.url()).await.unwrap();
    assert!(server.monitoring_url().starts_with("http://127.0.0.1:"));
    assert!(server.log().unwrap().contains("Server is ready"));
}
