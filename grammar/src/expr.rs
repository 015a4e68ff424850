//! Conditions: the expression of `where`, `if` and `abort-when`, and the one-word form `cpu>80`.
//!
//! ```text
//! or      = and { "or" and }
//! and     = not { "and" not }
//! not     = "not" not | "(" or ")" | compare
//! compare = operand [ op operand | "in" "[" [ operand { "," operand } ] "]" ]
//! operand = path | 'text' | "text" | number | true | false | null
//! path    = ( field | "_" ) { ".key" | "[0]" | "[key]" | "['any key']" }
//! ```
//!
//! In texts `\'`, `\"` and `\\` are undone and any other backslash is itself, so that patterns read as they are meant.
//! Deliberately absent: calls, arithmetic, and any value to hold a condition against.

mod scan;

use ecow::EcoString;

use crate::ast::Path;
use crate::{Span, SyntaxError};
use scan::Scan;
pub(crate) use scan::is_number;

/// How deep parentheses and `not` may be nested.
const DEPTH: usize = 32;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// At least two, of which one must hold.
    Or(Vec<Expr>),
    /// At least two, of which all must hold.
    And(Vec<Expr>),
    /// Must not hold.
    Not(Box<Expr>),
    /// `left op right`.
    Compare {
        /// What is looked at.
        left: Operand,
        /// How.
        op: Op,
        /// What it is held against; for `~` and `!~` the pattern.
        right: Operand,
    },
    /// `left in [list]`.
    In {
        /// What is looked for.
        left: Operand,
        /// Where; of nothing it is never true.
        list: Vec<Operand>,
    },
    /// An operand alone: there, and neither null nor false.
    Truth(Operand),
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A place in the incoming value.
    Field(Path),
    /// A text, its escapes undone.
    Text(EcoString),
    /// A number as typed: spelled as JSON does, in 64 bits when it is whole, and finite.
    Number(EcoString),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// How two operands are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `==`, `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `~`: the pattern is found.
    Matches,
    /// `!~`: the pattern is not found.
    NotMatches,
}

/// The longest first, so that `<=` is not read as `<`.
const OPS: [(&str, Op); 9] = [
    ("==", Op::Eq),
    ("!=", Op::Ne),
    ("<=", Op::Le),
    (">=", Op::Ge),
    ("!~", Op::NotMatches),
    ("=", Op::Eq),
    ("<", Op::Lt),
    (">", Op::Gt),
    ("~", Op::Matches),
];

impl Op {
    /// How it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Matches => "~",
            Self::NotMatches => "!~",
        }
    }
}

/// What a bare word says as a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordCondition {
    /// `ready`: there, and neither null nor false.
    Truth(Path),
    /// `field op value`.
    Compare {
        /// What is looked at.
        path: Path,
        /// How.
        op: Op,
        /// The byte of the word where the value begins. At the word's end there is none, unless more parts of the word
        /// follow the bare text.
        value: usize,
    },
}

/// Reads a condition.
pub fn parse_expr(text: &str) -> Result<Expr, SyntaxError> {
    let mut scan = Scan::new(text);
    let expr = or(&mut scan, 0)?;
    scan.blanks();
    match scan.rest() {
        "" => Ok(expr),
        rest if rest.starts_with('(') => {
            Err(SyntaxError::new("there are no calls in a condition", scan.span_of_next())
                .help("join with and, or, not"))
        }
        _ => {
            let error = SyntaxError::new(format!("'{}' is too much", scan.next_word()), scan.span_of_next());
            Err(error.help("join conditions with and, or; texts go in quotes"))
        }
    }
}

/// Reads the bare text at the head of a word as `field op value`, or as a field alone.
pub fn parse_word_condition(text: &str) -> Result<WordCondition, SyntaxError> {
    let mut scan = Scan::new(text);
    let Some(name) = scan.name() else {
        let error = SyntaxError::new("a condition begins with a field", scan.span_of_next());
        return Err(error.help("write field=value, or the whole condition in quotes"));
    };
    let path = scan.path(name)?;
    if let Some(op) = scan.op() {
        return Ok(WordCondition::Compare { path, op, value: scan.at() });
    }
    if !scan.rest().is_empty() {
        let message = format!("no comparison can be read at '{}'", scan.next_word());
        return Err(SyntaxError::new(message, scan.span_of_next()).help("the comparisons are = == != < <= > >= ~ !~"));
    }
    if path.steps.is_empty() && is_keyword(name) {
        let error = SyntaxError::new(format!("'{name}' is no field here"), Span::new(0, text.len()));
        return Err(error.help("put the whole condition in quotes"));
    }
    Ok(WordCondition::Truth(path))
}

fn is_keyword(name: &str) -> bool {
    matches!(name, "and" | "or" | "not" | "in" | "true" | "false" | "null")
}

fn or(scan: &mut Scan<'_>, depth: usize) -> Result<Expr, SyntaxError> {
    let mut parts = vec![and(scan, depth)?];
    while scan.keyword("or") {
        parts.push(and(scan, depth)?);
    }
    Ok(one_or(parts, Expr::Or))
}

fn and(scan: &mut Scan<'_>, depth: usize) -> Result<Expr, SyntaxError> {
    let mut parts = vec![not(scan, depth)?];
    while scan.keyword("and") {
        parts.push(not(scan, depth)?);
    }
    Ok(one_or(parts, Expr::And))
}

fn one_or(mut parts: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}

fn not(scan: &mut Scan<'_>, depth: usize) -> Result<Expr, SyntaxError> {
    if depth > DEPTH {
        return Err(SyntaxError::new(format!("a condition is nested at most {DEPTH} deep"), scan.span_of_next()));
    }
    if scan.keyword("not") {
        return Ok(Expr::Not(Box::new(not(scan, depth + 1)?)));
    }
    let open = scan.at_next();
    if scan.mark('(') {
        let inside = or(scan, depth + 1)?;
        if !scan.mark(')') {
            let error = SyntaxError::new("')' is missing", scan.span_of_next());
            return Err(error.help(format!("the parenthesis opens at column {}", scan.column(open))));
        }
        return Ok(inside);
    }
    compare(scan)
}

fn compare(scan: &mut Scan<'_>) -> Result<Expr, SyntaxError> {
    let left = operand(scan)?;
    if scan.keyword("in") {
        return Ok(Expr::In { left, list: list(scan)? });
    }
    scan.blanks();
    match scan.op() {
        Some(op) => Ok(Expr::Compare { left, op, right: operand(scan)? }),
        None => Ok(Expr::Truth(left)),
    }
}

fn list(scan: &mut Scan<'_>) -> Result<Vec<Operand>, SyntaxError> {
    if !scan.mark('[') {
        let error = SyntaxError::new("a list is expected after in", scan.span_of_next());
        return Err(error.help("write in [\"a\", \"b\"]"));
    }
    let mut list = Vec::new();
    if scan.mark(']') {
        return Ok(list);
    }
    loop {
        list.push(operand(scan)?);
        if scan.mark(']') {
            return Ok(list);
        }
        if !scan.mark(',') {
            return Err(SyntaxError::new("',' or ']' is expected in a list", scan.span_of_next()));
        }
    }
}

fn operand(scan: &mut Scan<'_>) -> Result<Operand, SyntaxError> {
    scan.blanks();
    match scan.peek() {
        Some('\'' | '"') => Ok(Operand::Text(scan.text()?)),
        Some('-' | '0'..='9') => Ok(Operand::Number(scan.number()?)),
        Some(_) => match scan.name() {
            Some("true") => Ok(Operand::Bool(true)),
            Some("false") => Ok(Operand::Bool(false)),
            Some("null") => Ok(Operand::Null),
            Some(word) if is_keyword(word) => Err(expected(word, scan.span_back(word))),
            Some(name) => Ok(Operand::Field(scan.path(name)?)),
            None => Err(expected(scan.next_word(), scan.span_of_next())),
        },
        None => Err(expected("the end", scan.span_of_next())),
    }
}

fn expected(found: &str, span: Span) -> SyntaxError {
    let error = SyntaxError::new(format!("a field or a value is expected, not {found}"), span);
    error.help("fields stand bare, texts in quotes")
}
