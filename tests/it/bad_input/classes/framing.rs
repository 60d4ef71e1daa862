//! What can be wrong with how a request is written on the wire.

use super::{super::route::Route, Class};

pub(super) const CLASSES: [Class; 8] = [
    Class { name: "chunks that are none", requests: chunks },
    Class { name: "a length told twice (smuggling)", requests: smuggling },
    Class { name: "odd header lines", requests: lines },
    Class { name: "bare line feeds", requests: line_feeds },
    Class { name: "other versions of HTTP", requests: versions },
    Class { name: "other protocols", requests: protocols },
    Class { name: "pipelining", requests: pipelining },
    Class { name: "no host, or several", requests: hosts },
];

const CHUNKED: &str = "transfer-encoding: chunked\r\n";

fn chunks(route: &Route) -> Vec<Vec<u8>> {
    let bodies: [&[u8]; 9] = [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n{}\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"7fffffffffffffff\r\n{}",
        b"2\r\n{}0\r\n\r\n",
        b"2;a=\"b\nc\"\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\ncontent-length: 5\r\nauthorization: Bearer x\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"0\r\n\r\n",
    ];
    let extension = [b"2;", "x".repeat(50_000).as_bytes(), b"\r\n{}\r\n0\r\n\r\n"].concat();
    let trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(5_000));
    let mut requests: Vec<_> = bodies.iter().map(|body| route.framed(CHUNKED, body)).collect();
    requests.push(route.framed(CHUNKED, &extension));
    requests.push(route.framed(CHUNKED, trailers.as_bytes()));
    requests
}

fn smuggling(route: &Route) -> Vec<Vec<u8>> {
    let hidden = format!("0\r\n\r\n{} {} HTTP/1.1\r\nhost: x\r\n\r\n", route.method, route.path);
    let length = hidden.len();
    [
        format!("content-length: {length}\r\n{CHUNKED}"),
        format!("{CHUNKED}content-length: 4\r\n"),
        "content-length: 4\r\ncontent-length: 5\r\n".to_owned(),
        "content-length: 4, 4\r\n".to_owned(),
        "content-length: +4\r\n".to_owned(),
        "content-length: -4\r\n".to_owned(),
        "content-length: 0x4\r\n".to_owned(),
        "content-length : 4\r\n".to_owned(),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding: \x0bchunked\r\n".to_owned(),
        format!("{CHUNKED}transfer-encoding: cow\r\n"),
        "transfer-encoding\t: chunked\r\n".to_owned(),
    ]
    .iter()
    .map(|headers| route.framed(headers, hidden.as_bytes()))
    .collect()
}

fn lines(route: &Route) -> Vec<Vec<u8>> {
    [
        "x\r\n",
        ": y\r\n",
        "x : y\r\n",
        " x: y\r\n",
        "x: y\r\n z\r\n",
        "x: \0\r\n",
        "x\0: y\r\n",
        "x: \u{7f}\r\n",
        "\u{fc}: y\r\n",
        "x: y\rz\r\n",
        "(): y\r\n",
    ]
    .iter()
    .map(|headers| route.with_headers(headers))
    .collect()
}

fn line_feeds(route: &Route) -> Vec<Vec<u8>> {
    let good = route.good();
    let bare = |bytes: &[u8], with: &str| {
        String::from_utf8_lossy(bytes).replace("\r\n", with).into_bytes()
    };
    vec![bare(&good, "\n"), bare(&good, "\r"), [b"\r\n\r\n\n".as_slice(), &good].concat()]
}

fn versions(route: &Route) -> Vec<Vec<u8>> {
    let (method, path) = (route.method, &route.path);
    let mut requests: Vec<_> =
        ["HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1 x", "HTTP/", "http/1.1", "ICY"]
            .iter()
            .map(|version| route.with_line(&format!("{method} {path} {version}")))
            .collect();
    requests.push(format!("{method} {path}\r\n\r\n").into_bytes());
    requests.push(route.with_line(&format!("{method}  {path}  HTTP/1.1")));
    requests
}

fn protocols(_: &Route) -> Vec<Vec<u8>> {
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    let client_hello = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03";
    vec![
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), settings].concat(),
        [client_hello.as_slice(), &[0; 40]].concat(),
        b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
        b"INFO {}\r\nCONNECT {}\r\nPING\r\n".to_vec(),
        b"\0".repeat(1000),
        b"\r\n".repeat(5_000),
    ]
}

fn pipelining(route: &Route) -> Vec<Vec<u8>> {
    let good = route.good();
    let open = String::from_utf8_lossy(&good).replacen("connection: close\r\n", "", 1).into_bytes();
    vec![[&open[..], &open, &good].concat(), [&open[..], b"garbage\r\n\r\n"].concat()]
}

fn hosts(route: &Route) -> Vec<Vec<u8>> {
    let good = String::from_utf8_lossy(&route.good()).into_owned();
    let host = |with: &str| good.replacen("host: x\r\n", with, 1).into_bytes();
    let (method, path) = (route.method, &route.path);
    let mut requests: Vec<_> = [
        "",
        "host: x\r\nhost: y\r\n",
        "host: \r\n",
        "host: a b\r\n",
        "host: @:/\r\n",
        "host: [\r\n",
    ]
    .map(host)
    .into();
    for target in ["*", "http://other.example", "http://[/", "//", "?", "x"] {
        requests.push(route.with_line(&format!("{method} {target} HTTP/1.1")));
    }
    requests.push(route.with_line(&format!("{method} http://other.example{path} HTTP/1.1")));
    requests
}
