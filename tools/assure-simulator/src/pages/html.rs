//! Plain HTML: no script, nothing from elsewhere, every text escaped.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#eef1f5;color:#1c2430}\
main{max-width:30rem;margin:8vh auto;padding:2rem;background:#fff;border-radius:.75rem;\
box-shadow:0 1px 4px #0003}\
.note{margin:0 0 1.5rem;padding:.5rem .75rem;border-radius:.5rem;background:#fff3cd;color:#5c4500;\
font-size:.875rem}\
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}\
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0 0 1.5rem;font-size:.875rem}\
dt{color:#5d6b7d}dd{margin:0;overflow-wrap:anywhere}\
form{display:grid;gap:.75rem}\
button{font:inherit;padding:.75rem 1rem;border:1px solid #b9c3cf;border-radius:.5rem;\
background:transparent;color:inherit;cursor:pointer}\
button.first{background:#1f5fd0;border-color:#1f5fd0;color:#fff;font-weight:600}\
button:focus-visible,a:focus-visible{outline:3px solid #7aa7ff;outline-offset:2px}\
a{color:#1f5fd0}\
@media(prefers-color-scheme:dark){body{background:#12161c;color:#e6ebf2}main{background:#1c232d}\
dt{color:#9aa8ba}a{color:#8ab4ff}button{border-color:#46536399}}";

/// A button of a page.
pub(super) struct Button {
    /// What the form sends as `choice`.
    pub(super) word: String,
    pub(super) label: String,
}

impl Button {
    pub(super) fn new(word: &str, label: &str) -> Self {
        Self { word: word.to_owned(), label: label.to_owned() }
    }
}

/// A page with facts and a form; the first button stands out.
pub(super) fn form(title: &str, facts: &[(&str, &str)], buttons: &[Button]) -> Response {
    let mut body = String::from("<dl>");
    for (name, value) in facts {
        body.push_str(&format!("<dt>{}</dt><dd>{}</dd>", escape(name), escape(value)));
    }
    // Without an action the form goes to the address of the page, with its query.
    body.push_str("</dl>\n<form method=\"post\">\n");
    for (at, button) in buttons.iter().enumerate() {
        let class = if at == 0 { " class=\"first\"" } else { "" };
        let (word, label) = (escape(&button.word), escape(&button.label));
        body.push_str(&format!(
            "<button name=\"choice\" value=\"{word}\"{class}>{label}</button>\n"
        ));
    }
    body.push_str("</form>");
    page(StatusCode::OK, title, &body)
}

/// A page that only says something, perhaps with a link to where the end-user came from.
pub(super) fn notice(
    status: StatusCode,
    title: &str,
    text: &str,
    way_back: Option<&str>,
) -> Response {
    let mut body = format!("<p>{}</p>", escape(text));
    if let Some(address) = way_back {
        body.push_str(&format!(
            "\n<p><a href=\"{}\">Back to the application</a></p>",
            escape(address)
        ));
    }
    page(status, title, &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"note\">Simulator: nothing is checked here and no real person's data belong here.</p>\n\
         <h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let mut response = (status, Html(html)).into_response();
    // `form-action` is absent: browsers apply it to the redirect that follows, too.
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_not_become_markup() {
        let text = "<b title=\"x\" class='y'>&amp;";
        assert_eq!(escape(text), "&lt;b title=&quot;x&quot; class=&#39;y&#39;&gt;&amp;amp;");
    }
}
