//! A TOML table taken apart member by member, so that every fault in it is found.

use toml::{Table, Value};

/// The members of one table that were not taken yet, and where the table is.
pub(crate) struct Fields<'a> {
    path: String,
    rest: Table,
    faults: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(path: impl Into<String>, table: Table, faults: &'a mut Vec<String>) -> Self {
        Self { path: path.into(), rest: table, faults }
    }

    /// Records a fault of one member.
    pub(crate) fn fault(&mut self, member: &str, detail: &str) {
        let path = self.path_of(member);
        self.faults.push(format!("{path}: {detail}"));
    }

    /// Takes a text; an empty one is a fault.
    pub(crate) fn text(&mut self, member: &str) -> Option<String> {
        if let Value::String(text) = self.rest.remove(member)?
            && !text.is_empty()
        {
            return Some(text);
        }
        self.fault(member, "must be a text, and not empty");
        None
    }

    /// Takes a text that must be there.
    pub(crate) fn required_text(&mut self, member: &str) -> Option<String> {
        if !self.rest.contains_key(member) {
            self.fault(member, "is required");
        }
        self.text(member)
    }

    /// Takes a list of texts, each made into something; faulty ones are recorded and left out.
    /// `None` when there is no such member.
    pub(crate) fn list<T>(
        &mut self,
        member: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let Value::Array(values) = self.rest.remove(member)? else {
            self.fault(member, "must be a list of texts");
            return Some(Vec::new());
        };
        let mut list = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let parsed = value.as_str().ok_or_else(|| "must be a text".to_owned()).and_then(&parse);
            match parsed {
                Ok(item) => list.push(item),
                Err(detail) => self.fault(&format!("{member}[{index}]"), &detail),
            }
        }
        Some(list)
    }

    /// Takes a table.
    pub(crate) fn table(&mut self, member: &str) -> Option<Fields<'_>> {
        let Value::Table(table) = self.rest.remove(member)? else {
            self.fault(member, "must be a table");
            return None;
        };
        Some(Fields::new(self.path_of(member), table, self.faults))
    }

    /// The name of a member that was not taken yet.
    pub(crate) fn next_name(&self) -> Option<String> {
        self.rest.keys().next().cloned()
    }

    /// Whatever was not taken is not known. Values are not quoted: one may be a secret.
    pub(crate) fn finish(mut self) {
        while let Some(name) = self.next_name() {
            self.rest.remove(&name);
            self.fault(&name, "is not known");
        }
    }

    fn path_of(&self, member: &str) -> String {
        if self.path.is_empty() { member.to_owned() } else { format!("{}.{member}", self.path) }
    }
}
