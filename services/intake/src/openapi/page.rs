//! The description as a page for people: plain HTML, no script, nothing from elsewhere.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The page's style. It is inline, so a content security policy must allow its hash.
pub(crate) const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
h2{margin-top:3rem;border-bottom:1px solid #ccc}h3{margin-top:2rem}\
code{font-size:.9em;background:#f3f3f3;padding:.1em .25em;border-radius:3px}h3 code{background:none}\
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{text-align:left;vertical-align:top;\
padding:.3rem .6rem .3rem 0;border-bottom:1px solid #e5e5e5}th{font-weight:600}td:first-child{white-space:nowrap}\
p{margin:.4rem 0}";

/// Writes the page.
pub(crate) fn render(document: &Value) -> String {
    let mut page = Page::default();
    page.head(&document["info"]);
    for tag in list(&document["tags"]) {
        let name = text(&tag["name"]);
        page.push(&format!("<h2>{}</h2>", escape(name)));
        page.paragraphs(text(&tag["description"]));
        for (path, methods) in members(&document["paths"]) {
            for (method, operation) in members(methods) {
                if list(&operation["tags"]).iter().any(|of| text(of) == name) {
                    page.operation(method, path, operation);
                }
            }
        }
    }
    page.push("<h2>Members</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        page.push(&format!("<h3 id=\"{0}\"><code>{0}</code></h3>", escape(name)));
        page.schema(schema);
    }
    page.push("</main></html>");
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn push(&mut self, html: &str) {
        self.0.push_str(html);
        self.0.push('\n');
    }

    fn head(&mut self, info: &Value) {
        let title = escape(text(&info["title"]));
        let version = escape(text(&info["version"]));
        self.push("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
        self.push("<meta name=\"viewport\" content=\"width=device-width\">");
        self.push(&format!("<title>{title}</title><style>{STYLE}</style><main>"));
        self.push(&format!("<h1>{title} {version}</h1>"));
        self.paragraphs(text(&info["description"]));
        self.push("<p>For programs: <a href=\"openapi.json\">openapi.json</a>.</p>");
    }

    fn operation(&mut self, method: &str, path: &str, operation: &Value) {
        let id = escape(text(&operation["operationId"]));
        let (method, path) = (escape(&method.to_uppercase()), escape(path));
        self.push(&format!("<h3 id=\"{id}\"><code>{method} {path}</code></h3>"));
        self.push(&format!("<p><strong>{}</strong></p>", prose(text(&operation["summary"]))));
        self.paragraphs(text(&operation["description"]));
        self.parameters(list(&operation["parameters"]));
        let body = &operation["requestBody"];
        if body.is_object() {
            let about = prose(text(&body["description"]));
            self.push(&format!("<p>Body: {}. {about}</p>", content(&body["content"])));
        }
        self.push("<table><tr><th>Answer</th><th>When</th><th>Body</th></tr>");
        for (status, answer) in members(&operation["responses"]) {
            let about = prose(text(&answer["description"]));
            let body = content(&answer["content"]);
            let mut row = format!("<tr><td>{}</td><td>{about}", escape(status));
            for (name, header) in members(&answer["headers"]) {
                let about = prose(text(&header["description"]));
                let _ = write!(row, "<br><code>{}</code>: {about}", escape(name));
            }
            self.push(&format!("{row}</td><td>{body}</td></tr>"));
        }
        self.push("</table>");
    }

    fn parameters(&mut self, all: &[Value]) {
        if all.is_empty() {
            return;
        }
        self.push("<table><tr><th>Parameter</th><th>In</th><th>Form</th><th>Meaning</th></tr>");
        for parameter in all {
            let name = escape(text(&parameter["name"]));
            let place = escape(text(&parameter["in"]));
            let form = form(&parameter["schema"]);
            let about = prose(text(&parameter["description"]));
            self.push(&format!(
                "<tr><td><code>{name}</code></td><td>{place}</td><td>{form}</td><td>{about}</td></tr>"
            ));
        }
        self.push("</table>");
    }

    /// A named schema: what it is, then its members or its alternatives.
    fn schema(&mut self, schema: &Value) {
        self.paragraphs(text(&schema["description"]));
        self.members(schema);
        for alternative in list(&schema["oneOf"]) {
            let about = prose(text(&alternative["description"]));
            if alternative["properties"].is_object() {
                self.push(&format!("<p>{about}</p>"));
                self.members(alternative);
            } else {
                self.push(&format!("<p>{}: {about}</p>", form(alternative)));
                list(&alternative["allOf"]).iter().for_each(|part| self.members(part));
            }
        }
        if !list(&schema["enum"]).is_empty() {
            self.push(&format!("<p>{}</p>", form(schema)));
        }
        for example in list(&schema["examples"]) {
            self.push(&format!("<pre><code>{}</code></pre>", escape(&format!("{example:#}"))));
        }
    }

    fn members(&mut self, schema: &Value) {
        let all = members(&schema["properties"]);
        if all.is_empty() {
            return;
        }
        let required = list(&schema["required"]);
        self.push("<table><tr><th>Member</th><th>Form</th><th>Meaning</th></tr>");
        for (name, member) in all {
            let may_be_absent = !required.iter().any(|r| text(r) == name);
            let absent = if may_be_absent { ", or absent" } else { "" };
            let about = prose(&description(member));
            let (name, form) = (escape(name), form(member));
            self.push(&format!(
                "<tr><td><code>{name}</code></td><td>{form}{absent}</td><td>{about}</td></tr>"
            ));
        }
        self.push("</table>");
    }

    fn paragraphs(&mut self, text: &str) {
        for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            self.push(&format!("<p>{}</p>", prose(paragraph)));
        }
    }
}

/// What a member is described as; an optional one of a named type keeps it inside.
fn description(schema: &Value) -> String {
    let inner = list(&schema["oneOf"]).iter().map(|inner| text(&inner["description"]));
    let mut all = std::iter::once(text(&schema["description"])).chain(inner);
    all.find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

/// The media types of a body, each with its form.
fn content(content: &Value) -> String {
    let each = members(content).into_iter().map(|(media_type, body)| {
        let form = form(&body["schema"]);
        let name = escape(media_type);
        match media_type {
            "application/json" | "application/problem+json" => form,
            _ => format!("<code>{name}</code>"),
        }
    });
    each.collect::<Vec<_>>().join(", ")
}

/// What a value looks like, in a few words.
fn form(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|all| all.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    for (combination, between) in [("oneOf", " or "), ("allOf", " with ")] {
        let parts: Vec<_> = list(&schema[combination]).iter().map(form).collect();
        let parts: Vec<_> = parts.into_iter().filter(|part| part != "object").collect();
        if !parts.is_empty() {
            return parts.join(between);
        }
    }
    if !schema["const"].is_null() {
        return literal(&schema["const"]);
    }
    let words: Vec<_> = list(&schema["enum"]).iter().map(literal).collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    let kinds = match list(&schema["type"]) {
        [] => vec![text(&schema["type"])],
        several => several.iter().map(text).collect(),
    };
    let kinds: Vec<_> = kinds
        .into_iter()
        .map(|kind| match kind {
            "" => "any value".to_owned(),
            "array" => format!("list of {}", form(&schema["items"])),
            kind => escape(kind),
        })
        .collect();
    format!("{}{}", kinds.join(" or "), limits(schema))
}

fn limits(schema: &Value) -> String {
    let range = |low: &str, high: &str| match (&schema[low], &schema[high]) {
        (Value::Null, Value::Null) => None,
        (low, Value::Null) => Some(format!("at least {low}")),
        (Value::Null, high) => Some(format!("at most {high}")),
        (low, high) => Some(format!("{low} to {high}")),
    };
    let quoted = |name: &str| {
        let value = schema[name].as_str().filter(|value| !value.starts_with("int"));
        value.map(|value| format!("<code>{}</code>", escape(value)))
    };
    let all = [
        range("minimum", "maximum"),
        range("minLength", "maxLength").map(|range| format!("{range} characters")),
        range("minItems", "maxItems").map(|range| format!("{range} elements")),
        quoted("format"),
        quoted("pattern"),
    ];
    all.into_iter().flatten().map(|limit| format!(", {limit}")).collect()
}

fn literal(value: &Value) -> String {
    let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("<code>{}</code>", escape(&word))
}

/// Text with `code` in it.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    parts.collect()
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn members(value: &Value) -> Vec<(&str, &Value)> {
    let all = value.as_object().into_iter().flat_map(Map::iter);
    all.map(|(name, value)| (name.as_str(), value)).collect()
}
