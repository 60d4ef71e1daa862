//! Reading a JSON object member by member, so that every fault in it is told at once.

use std::collections::BTreeSet;

use proofline_problem::Fault;
use serde_json::{Map, Value};

/// So many members that nobody knows are told by name.
const MAX_UNKNOWN: usize = 50;

/// The members of one object, and what was wrong with them. Null counts as absent.
pub(crate) struct Members<'a> {
    object: &'a Map<String, Value>,
    pointer: String,
    read: BTreeSet<&'static str>,
    faults: Vec<Fault>,
}

impl<'a> Members<'a> {
    /// The members of a whole body; a fault when it is not an object.
    pub(crate) fn of_body(body: &'a Value) -> Result<Self, Vec<Fault>> {
        let fault = || Fault { pointer: String::new(), detail: "must be an object".to_owned() };
        Self::of(body, String::new()).ok_or_else(|| vec![fault()])
    }

    fn of(value: &'a Value, pointer: String) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self { object, pointer, read: BTreeSet::new(), faults: Vec::new() })
    }

    pub(crate) fn fault(&mut self, name: &str, detail: impl Into<String>) {
        let pointer = format!("{}/{}", self.pointer, escape(name));
        self.faults.push(Fault { pointer, detail: detail.into() });
    }

    /// Reads a member; `expected` is told when `read` gives nothing.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        self.read.insert(name);
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        let result = read(value);
        if result.is_none() {
            self.fault(name, format!("must be {expected}"));
        }
        result
    }

    /// The same for a member that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        if self.object.get(name).is_none_or(Value::is_null) {
            self.read.insert(name);
            self.fault(name, format!("is required: {expected}"));
            return None;
        }
        self.optional(name, expected, read)
    }

    /// Reads each element of an array, with a fault at the place of each that is wrong.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        max: usize,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Vec<T> {
        let Some(array) = self.optional(name, "an array", Value::as_array) else {
            return Vec::new();
        };
        if array.len() > max {
            self.fault(name, format!("must have at most {max} elements"));
        }
        let mut all = Vec::new();
        for (i, element) in array.iter().enumerate().take(max) {
            match read(element) {
                Some(value) => all.push(value),
                None => {
                    let pointer = format!("{}/{name}/{i}", self.pointer);
                    self.faults.push(Fault { pointer, detail: format!("must be {expected}") });
                }
            }
        }
        all
    }

    /// Reads the members of a member that is an object.
    pub(crate) fn inner<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Members<'a>) -> T,
    ) -> Option<T> {
        let value = self.optional(name, "an object", |value| value.is_object().then_some(value))?;
        let mut inner = Self::of(value, format!("{}/{name}", self.pointer))?;
        let result = read(&mut inner);
        self.faults.extend(inner.finish());
        Some(result)
    }

    /// Everything that was wrong, members that nobody asked for included.
    pub(crate) fn finish(mut self) -> Vec<Fault> {
        let unknown = self.object.keys().filter(|name| !self.read.contains(name.as_str()));
        let unknown: Vec<_> = unknown.cloned().collect();
        for name in unknown.iter().take(MAX_UNKNOWN) {
            self.fault(name, "is not a member of this request");
        }
        if let Some(more) = unknown.len().checked_sub(MAX_UNKNOWN).filter(|more| *more > 0) {
            let detail = format!("{more} more are not members of this request");
            self.faults.push(Fault { pointer: self.pointer.clone(), detail });
        }
        self.faults
    }
}

/// A name as a token of a JSON Pointer; a very long one is cut, as it is the caller's own.
fn escape(name: &str) -> String {
    let name: String = name.chars().take(100).collect();
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_fault_has_its_place() {
        let body = json!({ "a": 1, "list": ["x", 2], "inner": { "b": true, "d~/": 1 }, "e": null });
        let mut members = Members::of_body(&body).unwrap();
        members.required("a", "a text", Value::as_str);
        members.required("missing", "a text", Value::as_str);
        members.optional("e", "a text", Value::as_str);
        members.list("list", "a text", 5, Value::as_str);
        members.inner("inner", |inner| inner.optional("b", "a text", Value::as_str));
        let pointers: Vec<_> = members.finish().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(pointers, ["/a", "/missing", "/list/1", "/inner/b", "/inner/d~0~1"]);
    }
}
