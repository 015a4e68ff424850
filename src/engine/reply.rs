//! What becomes of a request, beside the values that were handed on while it ran.
//!
//! Deliberately absent: how any of it looks.

use pipit_commands::{Attachment, Error, Value};

use super::Paging;
use crate::audit::Receipt;
use crate::render::{Document, Template};

/// What became of it.
#[derive(Default)]
pub(crate) struct Reply {
    /// Why it did not go well; a quiet stop with something to say is here too.
    pub(crate) error: Option<Error>,
    /// The template of a bundle that shows the values.
    pub(crate) template: Option<Template>,
    /// Pictures and files beside the values.
    pub(crate) attached: Vec<Attachment>,
    /// How the answer is to be paged, when it goes on with one that was kept (`more`).
    pub(crate) paging: Option<Paging>,
    /// What commands said beside their values that whoever typed the line should know.
    pub(crate) notes: Vec<String>,
    /// The proof that the end is on its way to the log.
    pub(crate) receipt: Option<Receipt>,
}

impl Reply {
    /// The answer as it is shown: the values, or what a template makes of them, and what belongs to them. Why it did not
    /// go well is not in it: not every service says that in the same place.
    pub(crate) fn document(&self, values: &[Value]) -> Document {
        let document = Document::ended(self.error.as_ref());
        let document = match &self.template {
            Some(template) => document.through(template, values),
            None => document.values(values),
        };
        document.attached(self.attached.clone())
    }
}
