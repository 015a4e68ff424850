//! Editing a line in the terminal: history that outlives the shell, completion, and a second line where a quote
//! or a block is still open.

use std::borrow::Cow;
use std::path::Path;

use reedline::{
    ColumnarMenu, Completer, CompletionResult, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder, Prompt,
    PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal, Span, Suggestion,
    ValidationResult, Validator, default_emacs_keybindings,
};

use crate::engine::Completion;

/// How many lines the history keeps.
const KEPT: usize = 2000;
const MENU: &str = "choices";

/// The editor.
pub(super) struct Editor {
    editor: Option<Reedline>,
}

impl Editor {
    /// An editor whose history lies in the home.
    pub(super) fn new(home: &Path) -> Self {
        let mut keys = default_emacs_keybindings();
        let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.into()), ReedlineEvent::MenuNext]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
        let menu = ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU).with_marker("")));
        let mut editor = Reedline::create()
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_validator(Box::new(Open))
            .with_menu(menu)
            .with_quick_completions(true)
            .with_partial_completions(true);
        // without a file the history lasts as long as the shell
        if let Ok(history) = FileBackedHistory::with_file(KEPT, home.join("shell.history")) {
            editor = editor.with_history(Box::new(history));
        }
        Self { editor: Some(editor) }
    }

    /// The next line; none at the end. An interrupt begins anew.
    pub(super) fn line(&mut self, prompt: &str, complete: Complete) -> Result<Option<String>, String> {
        let Some(editor) = self.editor.take() else { return Ok(None) };
        let mut editor = editor.with_completer(Box::new(Choices(complete)));
        let read = loop {
            match editor.read_line(&Shown(prompt)) {
                Ok(Signal::Success(line)) => break Ok(Some(line)),
                Ok(Signal::CtrlD) => break Ok(None),
                Ok(_) => {}
                Err(error) => break Err(format!("the terminal: {error}")),
            }
        };
        self.editor = Some(editor);
        read
    }
}

/// What could stand in a line at a byte of it.
pub(super) type Complete = Box<dyn Fn(&str, usize) -> Completion + Send>;

/// Completes what is being typed.
struct Choices(Complete);

impl Completer for Choices {
    fn complete(&mut self, line: &str, at: usize) -> CompletionResult {
        let completion = (self.0)(line, at);
        let span = Span::new(completion.start, completion.end.max(completion.start));
        let mut suggestions: Vec<Suggestion> = completion
            .choices
            .into_iter()
            .map(|choice| Suggestion {
                append_whitespace: !choice.goes_on(),
                description: (!choice.about.is_empty()).then_some(choice.about),
                value: choice.text,
                span,
                ..Suggestion::default()
            })
            .collect();
        if suggestions.is_empty() {
            // the only choice is taken at once; without one the menu would open to say that it is empty
            suggestions.push(Suggestion { span: Span::new(at, at), ..Suggestion::default() });
        }
        CompletionResult::Fresh { suggestions: suggestions.into(), partial: None }
    }
}

/// A line that ends inside a quote, a block or a substitution goes on.
struct Open;

impl Validator for Open {
    fn validate(&self, line: &str) -> ValidationResult {
        match pipit_grammar::parse(line) {
            Err(error) if error.message.ends_with("never closed") => ValidationResult::Incomplete,
            Ok(_) | Err(_) => ValidationResult::Complete,
        }
    }
}

struct Shown<'a>(&'a str);

impl Prompt for Shown<'_> {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        self.0.into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "… ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        format!("search {}: ", search.term).into()
    }
}
