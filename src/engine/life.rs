//! What is known of a line while it runs, for whoever shows it.

use ecow::EcoString;

use crate::render::Progress;

/// What is known of a line while it runs. A [`super::Request`] may bring a channel that is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    /// Its id, as soon as there is a ticket.
    pub(crate) id: Option<EcoString>,
    /// How far its command says it is.
    pub(crate) progress: Option<Progress>,
    /// The command whose values are shown, by its exact name, where one stage gives them all.
    pub(crate) last: Option<EcoString>,
    /// Whether its values are shown by a template, which needs all of them: nothing is shown before the end.
    pub(crate) held: bool,
}
