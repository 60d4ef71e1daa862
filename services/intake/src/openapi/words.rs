//! Words of the events that bodies are made of too. Their schemas come from `proto/`; here are only
//! their names, for what refers to them.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Object, RefOr, Schema, Type},
};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Object::with_type(Type::String).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

words! {
    /// `document`, `capture` or `eid`.
    Flow
    /// `upload`, `sdk` or `page`.
    CaptureBy
    /// `front`, `back` or `selfie`.
    Depiction
    /// `accepted`, `rejected`, ….
    Outcome
}

/// Which of Assure's images; `portrait` is read off a chip or a document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a parameter")]
#[schema(rename_all = "snake_case")]
pub(crate) enum Picture {
    Front,
    Back,
    Selfie,
    Portrait,
}

/// How far a verification has come.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the view writes")]
#[schema(rename_all = "snake_case")]
pub(crate) enum Status {
    Creating,
    AwaitingImages,
    AwaitingEndUser,
    Submitted,
    Verifying,
    Finished,
    Erased,
}
