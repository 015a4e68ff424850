//! The text of a template to its nodes.
//!
//! A tag that has a body swallows the end of the line after it, and so does an `~end~` in a line of its own, so that tags
//! leave no empty lines behind.

use pipit_commands::Value;

use super::{Comparison, Condition, DEPTH, Given, Node, Reference, State, Step, Term, Unreadable};

type Read<T> = Result<T, Unreadable>;

/// The nodes of a whole text.
pub(super) fn nodes(text: &str) -> Read<Vec<Node>> {
    let mut reader = Reader { text, at: 0 };
    let nodes = reader.body(0)?;
    match reader.rest() {
        "" => Ok(nodes),
        _ => Err(reader.wrong("an ~end~ with nothing to end: take it away, or open a tag before it")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

const TAGS: &str = "if, each, join, count, br, json, attachment and end";

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn before(&self) -> &'a str {
        self.text.get(..self.at).unwrap_or_default()
    }

    fn wrong(&self, why: impl Into<String>) -> Unreadable {
        Unreadable { at: self.at, why: why.into() }
    }

    fn eat(&mut self, what: &str) -> bool {
        let there = self.rest().starts_with(what);
        self.at += if there { what.len() } else { 0 };
        there
    }

    /// Goes on as long as characters fit; what was passed.
    fn pass(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn blanks(&mut self) {
        self.pass(char::is_whitespace);
    }

    /// Up to the end of the text, or before an `~end~`.
    fn body(&mut self, depth: usize) -> Read<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            let markdown = self.markdown();
            if !markdown.is_empty() {
                nodes.push(Node::Text(markdown));
            }
            if self.rest().is_empty() || is_end(self.rest()) {
                return Ok(nodes);
            }
            let tag = self.tag(depth)?;
            // the word after a fence would name a language, and data is none
            if has_body(&tag)
                && let Some(Node::Text(before)) = nodes.last_mut()
                && before.rsplit('\n').next().is_some_and(|line| line.trim_start() == "```")
            {
                before.push('\n');
            }
            nodes.push(tag);
        }
    }

    /// Text up to the next tag.
    fn markdown(&mut self) -> String {
        let mut markdown = String::new();
        loop {
            markdown.push_str(self.pass(|c| !matches!(c, '~' | '\\' | '#')));
            let rest = self.rest();
            match rest.chars().next() {
                None | Some('~') => return markdown,
                Some('\\') => {
                    self.at += 1;
                    if self.rest().starts_with('~') {
                        self.at += 1;
                        // Markdown has a meaning for two of them
                        markdown.push_str("\\~");
                    } else if self.rest().starts_with('#') {
                        self.at += 1;
                        markdown.push('#');
                    } else {
                        markdown.push('\\');
                        // what it stands before is not looked at again
                        if let Some(next) = self.rest().chars().next().filter(|next| *next == '\\') {
                            self.at += 1;
                            markdown.push(next);
                        }
                    }
                }
                // in the middle of a word it is a part of an address
                Some('#') if self.before().ends_with(|c: char| !c.is_whitespace()) => {
                    self.at += 1;
                    markdown.push('#');
                }
                Some(_) => {
                    self.pass(|c| c != '\n');
                    self.eat("\n");
                }
            }
        }
    }

    /// A whole tag, and its body when it has one.
    fn tag(&mut self, depth: usize) -> Read<Node> {
        let open = self.at;
        self.eat("~");
        self.blanks();
        if self.rest().starts_with('$') || self.rest().starts_with("length(") {
            let term = self.term()?;
            self.close(open)?;
            return Ok(Node::Show(term));
        }
        let at = self.at;
        let name = self.pass(|c| c.is_ascii_alphanumeric() || c == '_');
        match name {
            "br" => self.close(open).map(|()| Node::Break),
            "count" => {
                let of = self.of(name)?;
                self.close(open).map(|()| Node::Count(of))
            }
            "json" => {
                let of = self.of(name)?;
                self.close(open).map(|()| Node::Json(of))
            }
            "if" => {
                self.attribute("cond", name)?;
                let condition = self.condition()?;
                Ok(Node::If(condition, self.rest_of_block(open, name, depth)?))
            }
            "each" => {
                let of = self.of(name)?;
                let item = self.name_of_item()?;
                Ok(Node::Each { of, name: item, body: self.rest_of_block(open, name, depth)? })
            }
            "join" => {
                let (mut of, mut with, mut item) = (None, ", ".to_owned(), "item".to_owned());
                while let Some(key) = self.key()? {
                    match &*key {
                        "var" => of = Some(self.term()?),
                        "with" => with = text_of(&self.literal()?),
                        "as" => item = self.name()?,
                        _ => return Err(self.wrong(format!("join has no {key}: it has var, with and as"))),
                    }
                }
                let of = of.ok_or_else(|| self.wrong("join needs var=$…: what to join"))?;
                Ok(Node::Join { of, with, name: item, body: self.rest_of_block(open, name, depth)? })
            }
            "attachment" => {
                let mut with = Vec::new();
                while let Some(key) = self.key()? {
                    with.push((key, self.given()?));
                }
                Ok(Node::Attachment { with, body: self.rest_of_block(open, name, depth)? })
            }
            "" => Err(Unreadable {
                at,
                why: format!("a tag or a $variable is missing here; \\~ is a tilde. Tags: {TAGS}"),
            }),
            _ => Err(Unreadable { at, why: format!("there is no tag {name:?}; \\~ is a tilde. Tags: {TAGS}") }),
        }
    }

    /// The end of an opening tag, its body and its `~end~`.
    fn rest_of_block(&mut self, open: usize, name: &str, depth: usize) -> Read<Vec<Node>> {
        if depth + 1 >= DEPTH {
            return Err(Unreadable { at: open, why: format!("tags stand in each other at most {DEPTH} deep") });
        }
        self.close(open)?;
        self.eat("\n");
        let body = self.body(depth + 1)?;
        if !is_end(self.rest()) {
            return Err(Unreadable { at: open, why: format!("this {name} has no ~end~") });
        }
        let alone = self.before().rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
        self.eat("~");
        self.blanks();
        self.eat("end");
        self.blanks();
        self.eat("~");
        if alone {
            self.eat("\n");
        }
        Ok(body)
    }

    fn close(&mut self, open: usize) -> Read<()> {
        self.blanks();
        if self.eat("~") {
            return Ok(());
        }
        Err(match self.rest() {
            "" => Unreadable { at: open, why: "the tag that begins here does not end: a ~ is missing".into() },
            _ => self.wrong("the tag should end here, with a ~"),
        })
    }

    /// `var=$…`, which a tag must have.
    fn of(&mut self, tag: &str) -> Read<Term> {
        self.attribute("var", tag)?;
        self.term()
    }

    fn attribute(&mut self, key: &str, tag: &str) -> Read<()> {
        let at = self.at;
        match self.key()? {
            Some(found) if found == key => Ok(()),
            _ => Err(Unreadable { at, why: format!("{tag} needs {key}=…") }),
        }
    }

    /// ` as=name`, or `item`.
    fn name_of_item(&mut self) -> Read<String> {
        match self.key()?.as_deref() {
            None => Ok("item".into()),
            Some("as") => self.name(),
            Some(key) => Err(self.wrong(format!("each has no {key}: it has var and as"))),
        }
    }

    /// `key=`, if there is one. A key in quotation marks may have blanks.
    fn key(&mut self) -> Read<Option<String>> {
        self.blanks();
        let key = match self.rest().chars().next() {
            Some('"') => self.quoted()?,
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                self.pass(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).to_owned()
            }
            None | Some(_) => return Ok(None),
        };
        self.blanks();
        if !self.eat("=") {
            return Err(self.wrong(format!("= should follow {key}")));
        }
        self.blanks();
        Ok(Some(key))
    }

    fn name(&mut self) -> Read<String> {
        let at = self.at;
        let name = self.pass(|c| c.is_ascii_alphanumeric() || c == '_');
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(Unreadable { at, why: "a name is missing: letters, digits and _, a letter first".into() });
        }
        Ok(name.to_owned())
    }

    fn term(&mut self) -> Read<Term> {
        if self.eat("length(") {
            self.blanks();
            let reference = self.reference()?;
            self.blanks();
            return if self.eat(")") { Ok(Term::Length(reference)) } else { Err(self.wrong("a ) is missing")) };
        }
        self.reference().map(Term::Value)
    }

    fn reference(&mut self) -> Read<Reference> {
        if !self.eat("$") {
            return Err(self.wrong("a variable is missing: $name, $name.field, $name[0]"));
        }
        let name = self.name()?;
        let mut path = Vec::new();
        loop {
            if self.eat(".") {
                let field = if self.rest().starts_with('"') { self.quoted()? } else { self.field()? };
                path.push(Step::Field(field));
            } else if self.eat("[") {
                path.push(if self.rest().starts_with('"') {
                    Step::Field(self.quoted()?)
                } else {
                    let at = self.at;
                    let number = self.pass(|c| c.is_ascii_digit() || c == '-').parse();
                    let why = "a number is missing: $list[0]".into();
                    Step::Item(number.map_err(|_| Unreadable { at, why })?)
                });
                if !self.eat("]") {
                    return Err(self.wrong("a ] is missing"));
                }
            } else {
                return Ok(Reference { name, path });
            }
        }
    }

    /// Fields of records may have a `-`, as those of real data do.
    fn field(&mut self) -> Read<String> {
        let field = self.pass(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        if field.is_empty() {
            return Err(self.wrong("the name of a field is missing; one with blanks stands in quotation marks"));
        }
        Ok(field.to_owned())
    }

    fn quoted(&mut self) -> Read<String> {
        let open = self.at;
        self.eat("\"");
        let mut text = String::new();
        loop {
            text.push_str(self.pass(|c| !matches!(c, '"' | '\\')));
            if self.eat("\"") {
                return Ok(text);
            }
            if !self.eat("\\") {
                return Err(Unreadable {
                    at: open,
                    why: "the text that begins here does not end: a \" is missing".into(),
                });
            }
            let Some(next) = self.rest().chars().next() else { continue };
            self.at += next.len_utf8();
            match next {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            }
        }
    }

    fn given(&mut self) -> Read<Given> {
        if self.rest().starts_with('$') || self.rest().starts_with("length(") {
            return self.term().map(Given::Term);
        }
        self.literal().map(Given::Literal)
    }

    /// A text in quotation marks, a number, a truth value, or a bare word.
    fn literal(&mut self) -> Read<Value> {
        if self.rest().starts_with('"') {
            return self.quoted().map(Value::from);
        }
        let word = self.pass(|c| !c.is_whitespace() && !matches!(c, '~' | '=' | '"' | '$'));
        match word {
            "" => Err(self.wrong("a text, a number or a word is missing here")),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            word => Ok(Value::number_of(word).unwrap_or_else(|| Value::from(word))),
        }
    }

    fn condition(&mut self) -> Read<Condition> {
        let term = self.term()?;
        self.blanks();
        let states = [
            ("not_empty?", State::NotEmpty),
            ("not_bound?", State::NotBound),
            ("empty?", State::Empty),
            ("bound?", State::Bound),
        ];
        for (word, state) in states {
            if self.eat(word) {
                return Ok(Condition::Is(term, state));
            }
        }
        let comparisons = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            (">=", Comparison::GreaterOrEqual),
            ("<=", Comparison::LessOrEqual),
            (">", Comparison::Greater),
            ("<", Comparison::Less),
        ];
        for (sign, comparison) in comparisons {
            if !self.eat(sign) {
                continue;
            }
            self.blanks();
            if self.rest().starts_with('$') {
                return Err(self.wrong("a variable is compared with a text, a number or a word, not with another one"));
            }
            return Ok(Condition::Compares(term, comparison, self.literal()?));
        }
        Err(self.wrong("a condition is $x == \"text\", $x > 3, $x empty?, not_empty?, bound? or not_bound?"))
    }
}

fn has_body(node: &Node) -> bool {
    match node {
        Node::If(..) | Node::Each { .. } | Node::Join { .. } | Node::Attachment { .. } => true,
        Node::Text(_) | Node::Show(_) | Node::Count(_) | Node::Json(_) | Node::Break => false,
    }
}

fn is_end(rest: &str) -> bool {
    rest.strip_prefix('~')
        .and_then(|rest| rest.trim_start().strip_prefix("end"))
        .is_some_and(|rest| rest.trim_start().starts_with('~'))
}

fn text_of(value: &Value) -> String {
    value.to_text().into()
}
