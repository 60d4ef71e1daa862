//! What this API looks like, for programs (OpenAPI 3.1) and for people.
//!
//! Each operation is described where it is handled, each body where it is defined; what the
//! events say comes from `proto/`.

pub(crate) mod elsewhere;
mod page;
pub(crate) mod problems;
pub(crate) mod requests;
pub(crate) mod serve;
pub(crate) mod words;

use proofline_events::{EventType, json_schemas};
use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

const SCHEMAS: &str = "#/components/schemas/";

/// Everything but the operations, which are collected with the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Proofline",
        description = "Identity verifications through Signicat's Assure API: create one, let the \
            end-user act, and read how it ended.\n\n\
            Every answer that is not a success is a problem document (RFC 9457); programs look at \
            the last part of its `type`. JSON members are in snake case, times in RFC 3339 and UTC. \
            Answers may get further members; requests must not have any that are not described.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This installation")),
    security(("api_key" = [])),
    tags(
        (name = "verifications", description = "One attempt to verify one end-user."),
        (name = "results", description = "What came of it, for a finished verification."),
        (name = "catalogue", description = "What can be asked for."),
        (name = "description", description = "This API, described."),
    ),
    components(schemas(problems::Problem)),
    modifiers(&ApiKey),
)]
pub(crate) struct Description;

struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key of a tenant, as the operator gave it out."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

/// The description of this API as an OpenAPI 3.1 document: of all its routes, and the schemas of the
/// events that a timeline shows.
pub fn openapi() -> Value {
    let routes = crate::app::routes().into_openapi();
    let mut document = serde_json::to_value(routes).expect("a description can be written");
    let schemas = &mut document["components"]["schemas"];
    for (name, schema) in json_schemas(SCHEMAS) {
        schemas[name] = schema;
    }
    let kinds = EventType::ALL.iter().map(|event| {
        json!({ "title": event.message_name(), "type": "object", "required": ["type", "data"], "properties": {
            "type": { "const": event.ce_type() },
            "data": { "$ref": format!("{SCHEMAS}{}", event.message_name()) },
        } })
    });
    schemas["TimelineEvent"]["oneOf"] = kinds.collect();
    for operation in operations(&mut document) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        parameters.into_iter().flatten().for_each(|parameter| drop_null(&mut parameter["schema"]));
        let body = operation.pointer_mut("/requestBody/content/application~1json/schema");
        body.into_iter().for_each(drop_null);
    }
    document
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut)
}

/// A parameter or a body is there or not; null it never is, though an `Option` says so.
fn drop_null(schema: &mut Value) {
    let first = |alternatives: &Value| alternatives.as_array().and_then(|all| all.first()).cloned();
    if let Some(only) = first(&schema["oneOf"]) {
        *schema = only;
    } else if let Some(kind) = first(&schema["type"]) {
        schema["type"] = kind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = include_str!("../../../docs/api/openapi.json");

    #[test]
    fn the_committed_description_is_what_the_code_says() {
        let current = format!("{:#}\n", openapi());
        assert!(COMMITTED == current, "docs/api/openapi.json is not current: run `make api-docs`");
    }

    #[test]
    fn the_page_leads_to_everything_it_names() {
        let page = page::render(&openapi());
        let names = page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
        for name in names {
            assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
        }
    }
}
