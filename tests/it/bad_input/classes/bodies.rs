//! What can be wrong with a body.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::{super::route::Route, Class};

pub(super) const CLASSES: [Class; 10] = [
    Class { name: "an empty body", requests: |route| vec![route.with_body("")] },
    Class { name: "a truncated body", requests: truncated },
    Class { name: "a body of another type", requests: of_another_type },
    Class { name: "a huge body", requests: huge },
    Class { name: "deep nesting", requests: nested },
    Class { name: "duplicate members", requests: duplicate },
    Class { name: "bytes that are no text", requests: no_text },
    Class { name: "control characters", requests: control },
    Class { name: "numbers out of any range", requests: numbers },
    Class { name: "another content type or encoding, and bombs", requests: encodings },
];

fn truncated(route: &Route) -> Vec<Vec<u8>> {
    let half = &route.body[..route.body.len() / 2];
    vec![route.with_body(half), route.framed("content-length: 5000\r\n", half)]
}

fn of_another_type(route: &Route) -> Vec<Vec<u8>> {
    let texts =
        ["null", "true", "1", "\"x\"", "[]", "[[]]", "{}", "[{}]", "\"\u{feff}{}\"", "{} {}"];
    let members = [
        "flow",
        "provider",
        "document",
        "tags",
        "user_data",
        "parameters",
        "dossierId",
        "status",
        "id",
        "eventData",
    ];
    let wrong = ["null", "1", "[]", "{}", "\"\"", "[null]", "{\"a\":{}}"];
    let mut bodies: Vec<String> = texts.map(str::to_owned).into();
    for (place, member) in members.iter().enumerate() {
        bodies.push(format!("{{\"{member}\":{}}}", wrong[place % wrong.len()]));
    }
    bodies.iter().map(|body| route.with_body(body)).collect()
}

fn huge(route: &Route) -> Vec<Vec<u8>> {
    vec![
        // More than intake and callback-receiver take.
        route.with_body(vec![b' '; 2 * 1024 * 1024]),
        route.framed("content-length: 9223372036854775807\r\n", b"{"),
        route.framed("content-length: 99999999999999999999999999\r\n", b"{"),
    ]
}

fn nested(route: &Route) -> Vec<Vec<u8>> {
    let deep = 30_000;
    let closed = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    let objects = format!("{}1{}", "{\"parameters\":".repeat(500), "}".repeat(500));
    [closed, "[".repeat(deep), "{\"a\":".repeat(10_000), objects]
        .iter()
        .map(|body| route.with_body(body))
        .collect()
}

fn duplicate(route: &Route) -> Vec<Vec<u8>> {
    let body = String::from_utf8_lossy(&route.body).into_owned();
    let twice = body.strip_suffix('}').map(|open| format!("{open},{}", &body[1..]));
    let named = [
        r#"{"flow":"document","flow":"eid"}"#,
        r#"{"status":"accepted","status":"rejected","dossierId":"d","processId":"p"}"#,
        r#"{"id":"a","id":"b"}"#,
    ];
    let bodies = named.map(str::to_owned).into_iter().chain(twice);
    bodies.map(|body| route.with_body(body)).collect()
}

fn no_text(route: &Route) -> Vec<Vec<u8>> {
    let bodies: [&[u8]; 6] = [
        b"\xff",
        b"{\"flow\":\"\xc3\x28\"}",
        b"{\"id\":\"\xed\xa0\x80\"}",
        b"\xff\xfe{\x00}\x00",
        b"{\"status\":\"\\ud800\",\"dossierId\":\"d\",\"processId\":\"p\"}",
        b"\xff\xd8\xff",
    ];
    bodies.iter().map(|body| route.with_body(body)).collect()
}

fn control(route: &Route) -> Vec<Vec<u8>> {
    let bodies: [&[u8]; 4] = [
        b"\0",
        b"{\"flow\":\"a\0b\"}",
        b"{\"reference\":\"\\u0000\\u0007\",\"flow\":\"document\"}",
        b"{\"dossierId\":\"\\u0000\",\"processId\":\"a\\nb\",\"status\":\"\\r\\n\"}",
    ];
    bodies.iter().map(|body| route.with_body(body)).collect()
}

fn numbers(route: &Route) -> Vec<Vec<u8>> {
    ["1e999", "-1e999", "18446744073709551616", "0.1e-999", "-0", "1E400000", "NaN"]
        .iter()
        .flat_map(|number| {
            ["expires_in_seconds", "id"].map(|name| format!("{{\"{name}\":{number}}}"))
        })
        .map(|body| route.with_body(body))
        .collect()
}

fn encodings(route: &Route) -> Vec<Vec<u8>> {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        bomb.write_all(&[b' '; 1024 * 1024]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let mut requests = vec![route.with("content-encoding: gzip\r\n", &bomb)];
    for headers in [
        "content-encoding: br, gzip, deflate, nothing\r\n",
        "content-type: text/html\r\n",
        "content-type: multipart/form-data; boundary=\r\n",
        "content-type: application/json; charset=utf-16\r\n",
        "content-type: \u{e9}\r\n",
        "content-type: \r\n",
        "content-type: image/png\r\ncontent-type: application/xml\r\n",
    ] {
        requests.push(route.with_headers(headers));
    }
    requests
}
