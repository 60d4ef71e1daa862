//! What can be wrong with a request's head.

use super::{super::route::Route, Class};

pub(super) const CLASSES: [Class; 8] = [
    Class { name: "another method", requests: methods },
    Class { name: "a long address", requests: long },
    Class { name: "a flood of headers", requests: flood },
    Class { name: "path traversal", requests: traversal },
    Class { name: "odd percent encoding", requests: percent },
    Class { name: "an odd query", requests: query },
    Class { name: "odd values of headers that are read", requests: values },
    Class { name: "credentials that are none", requests: credentials },
];

fn methods(route: &Route) -> Vec<Vec<u8>> {
    let all = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get",
        "BREW", "G\tT", "\u{fc}", "",
    ];
    // A connection that is one through us, if we were a proxy.
    let connect = ["CONNECT x:443 HTTP/1.1".to_owned(), format!("CONNECT {} HTTP/1.1", route.path)];
    let lines = all.iter().filter(|method| **method != route.method);
    let lines = lines.map(|method| format!("{method} {} HTTP/1.1", route.path)).chain(connect);
    lines.map(|line| route.with_line(&line)).collect()
}

fn long(route: &Route) -> Vec<Vec<u8>> {
    let path = &route.path;
    let (longer, longest) = ("a".repeat(8_000), "a".repeat(70_000));
    [format!("{path}{longer}"), format!("{path}/{longest}"), format!("{path}?{longer}={longest}")]
        .iter()
        .map(|path| route.with_path(path))
        .collect()
}

fn flood(route: &Route) -> Vec<Vec<u8>> {
    let many = |number: usize| (0..number).map(|i| format!("x-{i}: {i}\r\n")).collect::<String>();
    [
        many(90),
        many(5_000),
        format!("x: {}\r\n", "y".repeat(40_000)),
        format!("x: {}\r\n", "y".repeat(300_000)),
        format!("{}: y\r\n", "x".repeat(70_000)),
        "cookie: a=b\r\n".repeat(80),
    ]
    .iter()
    .map(|headers| route.with_headers(headers))
    .collect()
}

fn traversal(route: &Route) -> Vec<Vec<u8>> {
    let path = &route.path;
    [
        format!("{path}/../../../etc/passwd"),
        format!("{path}/%2e%2e%2f%2e%2e%2fmetrics"),
        format!("/..{path}"),
        format!("/{path}"),
        format!("/.{path}/."),
        format!("{path}/"),
        path.replace('/', "//"),
        path.replace('/', "\\"),
        path.replacen('/', "/;x=y/", 2),
        "/metrics".to_owned(),
        "/readyz/../livez".to_owned(),
    ]
    .iter()
    .map(|path| route.with_path(path))
    .collect()
}

fn percent(route: &Route) -> Vec<Vec<u8>> {
    let path = &route.path;
    let last = path.rsplit_once('/').map_or("", |(before, _)| before);
    let doubled: String = path.bytes().map(|byte| format!("%25{byte:02x}")).collect();
    let encoded: String = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
    [
        format!("{last}/%00"),
        format!("{last}/%ff%fe"),
        format!("{last}/%c0%ae%c0%ae"),
        format!("{last}/%"),
        format!("{last}/%zz"),
        format!("{last}/%u0041"),
        format!("{last}/%0d%0aset-cookie:%20a=b"),
        format!("{last}/%F0%9F%92%A9"),
        format!("/{encoded}"),
        format!("/{doubled}"),
    ]
    .iter()
    .map(|path| route.with_path(path))
    .collect()
}

fn query(route: &Route) -> Vec<Vec<u8>> {
    let path = route.path.split('?').next().unwrap();
    let pairs = "a=b&".repeat(5_000);
    [
        "token=",
        "token",
        "token=%ff",
        "token=a&token=b",
        "token=a.b.c.d",
        "provider=%00",
        "provider=",
        "provider=a&provider=b",
        "status=%ff&dossierId=%00",
        "&&&===",
        "%",
        "#",
        "?",
        pairs.as_str(),
    ]
    .iter()
    .map(|query| route.with_path(&format!("{path}?{query}")))
    .collect()
}

fn values(route: &Route) -> Vec<Vec<u8>> {
    let key = "k".repeat(256);
    [
        "prefer: wait=99999999999999999999".to_owned(),
        "prefer: wait=-1".to_owned(),
        "prefer: wait=, wait; =".to_owned(),
        "last-event-id: -1".to_owned(),
        "last-event-id: 18446744073709551616".to_owned(),
        format!("idempotency-key: {key}"),
        "idempotency-key: \u{e9}".to_owned(),
        "idempotency-key: ".to_owned(),
        "accept: ".to_owned(),
        "accept: text/event-stream;q=x, */*;q=-1".to_owned(),
        "range: bytes=5-1,-0".to_owned(),
        "if-none-match: \"".to_owned(),
        "origin: null".to_owned(),
        "origin: https://app.acme.example\u{e9}".to_owned(),
        "traceparent: 00-zz-zz-zz".to_owned(),
        "x-signicat-signature: ".to_owned(),
        "x-signicat-signature: zz".to_owned(),
        "expect: 200-ok".to_owned(),
        "upgrade: websocket\r\nconnection: upgrade".to_owned(),
        "upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__".to_owned(),
    ]
    .iter()
    .map(|header| route.with_headers(&format!("{header}\r\n")))
    .collect()
}

/// Where there is a good one already, these come second.
fn credentials(route: &Route) -> Vec<Vec<u8>> {
    let stranger = Route { proof: String::new(), ..route.clone() };
    let long = format!("Bearer {}", "k".repeat(20_000));
    let mut requests = vec![stranger.good()];
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer \u{e9}",
        "Basic OjpA",
        "bearer\tx",
        "Bearer a b c",
        "Digest username=\"a\"",
        long.as_str(),
    ] {
        let header = format!("authorization: {value}\r\n");
        requests.push(stranger.with_headers(&header));
        requests.push(route.with_headers(&header));
    }
    requests
}
