//! The jq language: checking a program, and running one on values as JSON text.
//!
//! Running has no bound of its own, so it is for a process that has: the shell starts one. A program sees its input and
//! nothing else; deliberately absent are the functions that look elsewhere or end the process (`env`, `input`, `now`,
//! `debug`, `halt`).

use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, compile, data, unwrap_valr};
use jaq_json::{Num, Val, read};

use crate::DEPTH;

/// The longest program, in bytes.
const LONGEST: usize = 4096;
/// The stack on which a program is checked, in bytes: enough for one of nothing but opening brackets.
const STACK: usize = 256 << 20;
/// The longest message of a program's own, in characters.
const MESSAGE: usize = 300;

/// The functions that a program is given, beside those that are written in the language itself.
const FUNCTIONS: &[&str] = &[
    "acos",
    "acosh",
    "ascii_downcase",
    "ascii_upcase",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bsearch",
    "cbrt",
    "ceil",
    "contains",
    "copysign",
    "cos",
    "cosh",
    "decode_base64",
    "decode_uri",
    "encode_base64",
    "encode_uri",
    "endswith",
    "erf",
    "erfc",
    "error_empty",
    "escape_html",
    "escape_sh",
    "exp",
    "exp10",
    "exp2",
    "explode",
    "expm1",
    "fabs",
    "fdim",
    "first",
    "floor",
    "fma",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "fromdateiso8601",
    "fromjson",
    "gmtime",
    "group_by",
    "has",
    "hypot",
    "ilogb",
    "implode",
    "indices",
    "j0",
    "j1",
    "jn",
    "key_values",
    "keys_unsorted",
    "last",
    "ldexp",
    "length",
    "lgamma",
    "limit",
    "log",
    "log10",
    "log1p",
    "log2",
    "ltrim",
    "ltrimstr",
    "matches",
    "max_by_or_empty",
    "min_by_or_empty",
    "mktime",
    "modf",
    "nearbyint",
    "nextafter",
    "path",
    "path_value",
    "pow",
    "range",
    "remainder",
    "reverse",
    "rint",
    "round",
    "rtrim",
    "rtrimstr",
    "scalbln",
    "sin",
    "sinh",
    "skip",
    "sort",
    "sort_by",
    "split_",
    "split_matches",
    "sqrt",
    "startswith",
    "strftime",
    "strptime",
    "tan",
    "tanh",
    "tgamma",
    "tobytes",
    "todateiso8601",
    "tojson",
    "trim",
    "trunc",
    "unescape_html",
    "utf8bytelength",
    "y0",
    "y1",
    "yn",
];
/// Definitions of the language's own library that rest on functions which are not given.
const LACKING: &[&str] = &["debug", "halt", "halt_error", "stderr"];

type Values = data::JustLut<Val>;

/// A program that can run.
pub struct Jq(Filter<Values>);

/// Whether a text is a program, or what is wrong with it. Nothing runs.
pub fn check(program: &str) -> Result<(), String> {
    bounded(program)?;
    let text = program.to_owned();
    // how deep a program nests is how deep the parser calls itself
    let checking =
        std::thread::Builder::new().name("jq".into()).stack_size(STACK).spawn(move || Jq::read(&text).map(drop));
    let checked = checking.map_err(|error| format!("the program cannot be checked: {error}"))?.join();
    checked.unwrap_or_else(|_| Err("the program cannot be read".into()))
}

fn bounded(program: &str) -> Result<(), String> {
    if program.len() > LONGEST {
        return Err(format!("the program has {} bytes, and {LONGEST} are the most", program.len()));
    }
    if program.contains('\0') {
        return Err("the program holds a NUL character".into());
    }
    Ok(())
}

impl Jq {
    /// Reads a program. Needs a stack as large as the program is deep.
    pub fn read(program: &str) -> Result<Self, String> {
        bounded(program)?;
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let defs = defs.filter(|def| !LACKING.contains(&def.name));
        let funs = jaq_core::funs::<Values>().chain(jaq_std::funs()).chain(jaq_json::funs());
        let funs = funs.filter(|(name, _, _)| FUNCTIONS.contains(name));
        let arena = Arena::default();
        let modules = Loader::new(defs)
            .load(&arena, File { code: program, path: () })
            .map_err(|errors| first(errors, |error| unread(program, error)))?;
        // data of other files would be looked for only when the program runs, and is not there then
        jaq_core::load::import(&modules, |_| Err(String::new()))
            .map_err(|errors| first(errors, |error| unread(program, error)))?;
        let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
            first(errors, |errors| {
                let one = errors.into_iter().next();
                one.map_or_else(String::new, |(name, kind)| undefined(program, name, &kind))
            })
        })?;
        Ok(Self(filter))
    }

    /// Runs the program on a JSON value. Its results go out as JSON, one by one, until `give` wants no more. The error
    /// is the program's own, or says which result cannot be a value.
    pub fn run(&self, value: &[u8], give: &mut dyn FnMut(&str) -> bool) -> Result<(), String> {
        let value = read::parse_single(value).map_err(|error| format!("the input is no JSON: {error}"))?;
        let context = Ctx::<Values>::new(&self.0.lut, Vars::new([]));
        let mut json = String::new();
        for result in self.0.id.run((context, value)).map(unwrap_valr) {
            let result = result.map_err(|error| short(&error.to_string()))?;
            json.clear();
            write(&result, DEPTH, &mut json)?;
            if !give(&json) {
                break;
            }
        }
        Ok(())
    }
}

fn first<E>(errors: Vec<(File<&str, ()>, E)>, say: impl Fn(E) -> String) -> String {
    errors.into_iter().next().map_or_else(|| "the program cannot be read".into(), |(_, error)| say(error))
}

/// What a program's text has wrong.
fn unread(program: &str, error: load::Error<&str>) -> String {
    match error {
        load::Error::Io(errors) => {
            let path = errors.first().map_or("", |(path, _)| path);
            format!("there are no modules here, so {path:?} cannot be included")
        }
        load::Error::Lex(errors) => match errors.into_iter().next() {
            Some((expected, at)) => wanted(program, expected.as_str(), at),
            None => "the program cannot be read".into(),
        },
        load::Error::Parse(errors) => match errors.into_iter().next() {
            Some((expected, at)) => wanted(program, expected.as_str(), at),
            None => "the program cannot be read".into(),
        },
    }
}

/// A name that stands for nothing.
fn undefined(program: &str, name: &str, kind: &compile::Undefined) -> String {
    match kind {
        compile::Undefined::Filter(0) => format!("there is no function {name}{}", place(program, name)),
        compile::Undefined::Filter(arity) => {
            format!("there is no function {name} of {arity} arguments{}", place(program, name))
        }
        other => format!("there is no {} {name}{}", other.as_str(), place(program, name)),
    }
}

fn wanted(program: &str, expected: &str, found: &str) -> String {
    if found.is_empty() {
        return format!("{expected} is wanted at the end");
    }
    let shown: String = found.chars().take(20).collect();
    format!("{expected} is wanted{}, not {shown:?}", place(program, found))
}

/// Where a part of the program stands; nothing for a part of another text.
fn place(program: &str, part: &str) -> String {
    let start = (part.as_ptr() as usize).wrapping_sub(program.as_ptr() as usize);
    program.get(..start).map_or_else(String::new, |before| format!(" at character {}", before.chars().count() + 1))
}

/// A message in one line, shortened where it is long.
fn short(message: &str) -> String {
    let mut line: String = message.chars().take(MESSAGE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() < message.len() {
        line.push('…');
    }
    line
}

/// Appends compact JSON.
fn write(value: &Val, depth: usize, json: &mut String) -> Result<(), String> {
    match value {
        Val::Null => json.push_str("null"),
        Val::Bool(true) => json.push_str("true"),
        Val::Bool(false) => json.push_str("false"),
        Val::Num(number) => write_number(number, json)?,
        Val::TStr(bytes) => write_text(bytes, json),
        Val::BStr(_) => return Err("a result is made of bytes, and values have texts only".into()),
        Val::Arr(_) | Val::Obj(_) if depth == 0 => return Err(format!("a result is more than {DEPTH} deep")),
        Val::Arr(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write(item, depth - 1, json)?;
            }
            json.push(']');
        }
        Val::Obj(fields) => {
            json.push('{');
            for (at, (key, field)) in fields.iter().enumerate() {
                let Val::TStr(key) = key else {
                    return Err(format!("a result has the key {}, which is no text", short(&key.to_string())));
                };
                if at > 0 {
                    json.push(',');
                }
                write_text(key, json);
                json.push(':');
                write(field, depth - 1, json)?;
            }
            json.push('}');
        }
    }
    Ok(())
}

fn write_text(bytes: &[u8], json: &mut String) {
    crate::value::write_text(&String::from_utf8_lossy(bytes), json);
}

/// As jq prints numbers: whole ones without a point, not-a-number as null, the infinite ones as the largest there are.
fn write_number(number: &Num, json: &mut String) -> Result<(), String> {
    /// Up to here a float is exact to the whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = match number {
        Num::Int(whole) => {
            crate::Value::Int(i64::try_from(*whole).unwrap_or_default()).write_json(json);
            return Ok(());
        }
        Num::BigInt(_) => return Err(format!("a result is {number}, which is beyond 64 bits")),
        Num::Dec(typed) => typed.parse::<f64>().unwrap_or(f64::NAN),
        Num::Float(float) if float.fract() == 0.0 && float.abs() <= EXACT => {
            json.push_str(&format!("{float:.0}"));
            return Ok(());
        }
        Num::Float(float) => *float,
    };
    if float.is_nan() {
        json.push_str("null");
    } else {
        crate::Value::Float(float.clamp(f64::MIN, f64::MAX)).write_json(json);
    }
    Ok(())
}
