//! The problems that an operation can answer, as responses of its description: one for each status,
//! made from the codes.

use std::collections::BTreeMap;

use proofline_problem::Code;
use utoipa::{
    ToSchema,
    openapi::{
        AllOfBuilder, Content, Header, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder,
        Schema, Type,
    },
};

/// What any operation with an API key can answer.
const ALWAYS: [Code; 2] = [Code::Unauthorized, Code::StorageUnavailable];

/// What may be over soon.
const PASSING: [Code; 4] =
    [Code::InProgress, Code::UploadInProgress, Code::AssureUnavailable, Code::StorageUnavailable];

macro_rules! problems {
    ($($name:ident = [$($code:ident),*];)*) => {$(
        pub(crate) enum $name {}

        impl utoipa::IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$(Code::$code),*])
            }
        }
    )*};
}

problems! {
    Create = [
        Malformed, PayloadTooLarge, InvalidRequest, IdempotencyKeyReused, InProgress,
        DossierInUse, AlreadyFinished, AssureRefused, AssureUnavailable
    ];
    Read = [NotFound];
    Submit = [
        Malformed, NotFound, PayloadTooLarge, InvalidRequest, ImagesMissing, UploadInProgress,
        NothingToSubmit, AlreadyFinished, InProgress
    ];
    Cancel = [NotFound, AlreadyFinished];
    Result = [NotFound, NotFinished, Erased, ResultExpired];
    Media = [NotFound, NotFinished, Erased, GoneAtAssure, AssureRefused, AssureUnavailable];
    Catalogue = [InvalidRequest, AssureRefused, AssureUnavailable];
}

fn responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in ALWAYS.iter().chain(codes) {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    let of_status = |(status, codes): (u16, Vec<Code>)| {
        (status.to_string(), RefOr::T(response(status, &codes)))
    };
    let mut responses: BTreeMap<_, _> = by_status.into_iter().map(of_status).collect();
    responses.insert("429".to_owned(), RefOr::T(too_many()));
    responses
}

/// No code of ours: the status says it all.
fn too_many() -> Response {
    ResponseBuilder::new()
        .description("This tenant, or whoever sends no valid API key, asks too often.")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))))
        .header("Retry-After", header(Type::Integer, "After how many seconds to try again."))
        .build()
}

fn response(status: u16, codes: &[Code]) -> Response {
    let told: Vec<_> = codes.iter().map(|code| format!("`{code}`: {}.", code.title())).collect();
    let types = codes.iter().map(|code| format!("urn:proofline:problem:{code}"));
    let narrowed = ObjectBuilder::new()
        .property("type", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(types)))
        .property(
            "status",
            ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([status])),
        );
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed).build();
    let mut response = ResponseBuilder::new()
        .description(told.join(" "))
        .content("application/problem+json", Content::new(Some(Schema::AllOf(schema))));
    if status == 401 {
        response = response.header("WWW-Authenticate", header(Type::String, "`Bearer`."));
    }
    if codes.iter().any(|code| PASSING.contains(code)) {
        let about = "After how many seconds it is worth trying again, where that helps.";
        response = response.header("Retry-After", header(Type::Integer, about));
    }
    response.build()
}

fn header(kind: Type, about: &str) -> Header {
    let mut header = Header::new(ObjectBuilder::new().schema_type(kind).build());
    header.description = Some(about.to_owned());
    header
}

/// Why there is no success (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the crate problem answers")]
pub(crate) struct Problem {
    /// `urn:proofline:problem:<code>`, or `about:blank` where the status says it all.
    #[schema(examples("urn:proofline:problem:invalid-request"))]
    r#type: String,
    /// The same for every occurrence.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time, for people.
    detail: String,
    /// Every fault of the request.
    errors: Option<Vec<Fault>>,
    /// With `images-missing`: the images that must come first.
    images: Option<Vec<super::words::Depiction>>,
    /// With `assure-refused`: Assure's short text.
    assure_title: Option<String>,
    /// With `assure-refused`: the HTTP status that Assure answered.
    assure_status: Option<u16>,
    /// With `assure-refused`: what Assure's support asks for.
    assure_trace_id: Option<String>,
}

/// One thing that is wrong with a request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the crate problem answers")]
pub(crate) struct Fault {
    /// Where: a JSON Pointer into the request body, empty for the whole of it.
    #[schema(examples("/tags/0"))]
    pointer: String,
    /// What is wrong there.
    detail: String,
}
